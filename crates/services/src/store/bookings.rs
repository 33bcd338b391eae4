//! Slots, bookings, invitations and the waiting list.
//!
//! INVARIANT: `taken` of a slot is the number of its bookings that are held, waiting or booked. A seat is
//! taken and given back in the same transaction in which its booking changes state, each by one statement
//! whose condition is the old state; the CHECK of the table refuses whatever else might be tried.

use kernel::ids::{BookingId, CaseId, DraftId, SubjectId};
use kernel::time::Timestamp;
use store::{Reads, StoreError, Tx, params};

use crate::model::SlotPlan;

store::row! {
    /// How full a slot is.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SlotUse {
        /// When it begins.
        pub starts_at: Timestamp,
        /// How many bookings it takes.
        pub capacity: i64,
        /// How many it has.
        pub taken: i64,
    }
}

store::row! {
    /// A booking.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Booking {
        /// Whose.
        pub subject_id: SubjectId,
        /// Its id.
        pub booking_id: BookingId,
        /// The draft in which it was made.
        pub draft_id: DraftId,
        /// The item.
        pub item_id: String,
        /// What is booked.
        pub resource: String,
        /// When the slot begins.
        pub starts_at: Timestamp,
        /// `held`, `waiting`, `booked`, `expired`, `cancelled` or `declined`.
        pub state: String,
        /// Who was asked to confirm.
        pub partner_id: Option<SubjectId>,
        /// Until when the seat is held without a confirmation.
        pub held_until: Timestamp,
        /// The case that came of it.
        pub case_id: Option<CaseId>,
        /// The number of that case.
        pub case_no: Option<String>,
    }
}

store::row! {
    /// An invitation to confirm a booking.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Invitation {
        /// Who is invited.
        pub subject_id: SubjectId,
        /// To what.
        pub booking_id: BookingId,
        /// By whom.
        pub inviter_id: SubjectId,
        /// The item.
        pub item_id: String,
        /// When the slot begins.
        pub starts_at: Timestamp,
        /// `open`, `confirmed`, `declined`, `expired` or `cancelled`.
        pub state: String,
        /// Until when it can be answered.
        pub until: Timestamp,
    }
}

const BOOKING: &str = "subject_id, booking_id, draft_id, item_id, resource, starts_at, state, partner_id,
                       held_until, case_id, case_no";
const INVITATION: &str = "subject_id, booking_id, inviter_id, item_id, starts_at, state, until";

/// How full the slots of a resource are from `from` on. Slots that nobody ever took are not listed.
pub(crate) async fn uses(
    db: &impl Reads,
    resource: &str,
    from: Timestamp,
) -> Result<Vec<SlotUse>, StoreError> {
    db.query(
        "SELECT starts_at, capacity, taken FROM services_slot
          WHERE resource = $1 AND starts_at >= $2
          ORDER BY starts_at",
        params![resource, from],
    )
    .await
}

/// Takes a seat; says whether one was free.
pub(crate) async fn take(tx: &Tx, resource: &str, slot: &SlotPlan) -> Result<bool, StoreError> {
    tx.execute(
        "INSERT INTO services_slot (resource, starts_at, ends_at, capacity, taken)
         VALUES ($1, $2, $3, $4, 0)
         ON CONFLICT (resource, starts_at) DO NOTHING",
        params![resource, slot.start, slot.end, slot.capacity],
    )
    .await?;
    let taken = tx
        .execute(
            "UPDATE services_slot SET taken = taken + 1
              WHERE resource = $1 AND starts_at = $2 AND taken < capacity",
            params![resource, slot.start],
        )
        .await?;
    Ok(taken == 1)
}

async fn give_back(tx: &Tx, resource: &str, start: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE services_slot SET taken = taken - 1 WHERE resource = $1 AND starts_at = $2 AND taken > 0",
        params![resource, start],
    )
    .await?;
    Ok(())
}

pub(crate) async fn insert(tx: &Tx, booking: &Booking) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO services_booking
                (subject_id, booking_id, draft_id, item_id, resource, starts_at, state, held_until, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            booking.subject_id,
            booking.booking_id,
            booking.draft_id,
            &booking.item_id,
            &booking.resource,
            booking.starts_at,
            &booking.state,
            booking.held_until,
            tx.store().env().now()
        ],
    )
    .await?;
    Ok(())
}

pub(crate) async fn find(
    db: &impl Reads,
    subject: SubjectId,
    id: BookingId,
) -> Result<Option<Booking>, StoreError> {
    let sql = format!("SELECT {BOOKING} FROM services_booking WHERE subject_id = $1 AND booking_id = $2");
    db.optional(&sql, params![subject, id]).await
}

/// The booking of a draft that still counts.
pub(crate) async fn of_draft(
    db: &impl Reads,
    subject: SubjectId,
    draft: DraftId,
) -> Result<Option<Booking>, StoreError> {
    let sql = format!(
        "SELECT {BOOKING} FROM services_booking
          WHERE subject_id = $1 AND draft_id = $2 AND state IN ('held', 'waiting', 'booked')"
    );
    db.optional(&sql, params![subject, draft]).await
}

/// A person's bookings, the latest slot first.
pub(crate) async fn list(db: &impl Reads, subject: SubjectId) -> Result<Vec<Booking>, StoreError> {
    let sql = format!(
        "SELECT {BOOKING} FROM services_booking
          WHERE subject_id = $1
          ORDER BY starts_at DESC, booking_id DESC
          LIMIT 50"
    );
    db.query(&sql, params![subject]).await
}

/// Whether the person has a seat for the same thing already.
pub(crate) async fn has_other(
    db: &impl Reads,
    subject: SubjectId,
    item: &str,
    draft: DraftId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let others = db
        .count(
            "SELECT COUNT(*) AS n FROM services_booking
              WHERE subject_id = $1 AND item_id = $2 AND draft_id <> $3 AND starts_at > $4
                AND state IN ('waiting', 'booked')",
            params![subject, item, draft, now],
        )
        .await?;
    Ok(others > 0)
}

/// Moves a booking on if it still is in one of `from`; says whether it did. A seat that is given up goes back
/// with it.
pub(crate) async fn change(
    tx: &Tx,
    booking: &Booking,
    from: &[&str],
    to: &str,
    held_until: Timestamp,
) -> Result<bool, StoreError> {
    let [first, second] = [from.first().copied().unwrap_or(""), from.get(1).copied().unwrap_or("")];
    let touched = tx
        .execute(
            "UPDATE services_booking
                SET state = $5, held_until = $6, partner_id = $7, case_id = $8, case_no = $9, changed_at = $10
              WHERE subject_id = $1 AND booking_id = $2 AND state IN ($3, $4)",
            params![
                booking.subject_id,
                booking.booking_id,
                first,
                second,
                to,
                held_until,
                booking.partner_id,
                booking.case_id,
                booking.case_no.clone(),
                tx.store().env().now()
            ],
        )
        .await?;
    if touched == 1 && matches!(to, "expired" | "cancelled" | "declined") {
        give_back(tx, &booking.resource, booking.starts_at).await?;
    }
    Ok(touched == 1)
}

/// Bookings whose hold has run out.
pub(crate) async fn overdue(db: &impl Reads, now: Timestamp) -> Result<Vec<Booking>, StoreError> {
    let sql = format!(
        "SELECT {BOOKING} FROM services_booking
          WHERE state IN ('held', 'waiting') AND held_until <= $1
          ORDER BY held_until
          LIMIT 200"
    );
    db.query(&sql, params![now]).await
}

pub(crate) async fn invite(tx: &Tx, invitation: &Invitation) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO services_invitation (subject_id, booking_id, inviter_id, item_id, starts_at, state, until)
         VALUES ($1, $2, $3, $4, $5, 'open', $6)
         ON CONFLICT (subject_id, booking_id) DO UPDATE SET state = 'open', until = excluded.until",
        params![
            invitation.subject_id,
            invitation.booking_id,
            invitation.inviter_id,
            &invitation.item_id,
            invitation.starts_at,
            invitation.until
        ],
    )
    .await?;
    Ok(())
}

/// Answers an open invitation; says whether it was open.
pub(crate) async fn answer(
    tx: &Tx,
    subject: SubjectId,
    booking: BookingId,
    to: &str,
) -> Result<bool, StoreError> {
    let touched = tx
        .execute(
            "UPDATE services_invitation SET state = $3
              WHERE subject_id = $1 AND booking_id = $2 AND state = 'open'",
            params![subject, booking, to],
        )
        .await?;
    Ok(touched == 1)
}

pub(crate) async fn invitation(
    db: &impl Reads,
    subject: SubjectId,
    booking: BookingId,
) -> Result<Option<Invitation>, StoreError> {
    let sql =
        format!("SELECT {INVITATION} FROM services_invitation WHERE subject_id = $1 AND booking_id = $2");
    db.optional(&sql, params![subject, booking]).await
}

/// A person's invitations, newest first.
pub(crate) async fn invitations(db: &impl Reads, subject: SubjectId) -> Result<Vec<Invitation>, StoreError> {
    let sql = format!(
        "SELECT {INVITATION} FROM services_invitation WHERE subject_id = $1 ORDER BY booking_id DESC LIMIT 20"
    );
    db.query(&sql, params![subject]).await
}

store::row! {
    /// Somebody who waits for a seat on a day.
    #[derive(Clone, Debug)]
    pub(crate) struct Waiting {
        pub(crate) subject_id: SubjectId,
        pub(crate) resource: String,
        pub(crate) day: String,
        pub(crate) draft_id: DraftId,
        pub(crate) offered_at: Option<Timestamp>,
    }
}

/// Puts somebody on the waiting list of a day.
pub(crate) async fn wait_for(
    tx: &Tx,
    subject: SubjectId,
    resource: &str,
    day: &str,
    draft: DraftId,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO services_waiting (subject_id, resource, day, draft_id, since)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (subject_id, resource, day) DO UPDATE SET draft_id = excluded.draft_id",
        params![subject, resource, day, draft, tx.store().env().now()],
    )
    .await?;
    Ok(())
}

/// Tells whoever has waited longest for that day that a seat is free.
pub(crate) async fn offer(tx: &Tx, resource: &str, day: &str) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE services_waiting SET offered_at = $3
          WHERE resource = $1 AND day = $2
            AND subject_id = (SELECT subject_id FROM services_waiting
                               WHERE resource = $1 AND day = $2 AND offered_at IS NULL
                               ORDER BY since, subject_id
                               LIMIT 1)",
        params![resource, day, tx.store().env().now()],
    )
    .await?;
    Ok(())
}

/// What a person waits for.
pub(crate) async fn waits(db: &impl Reads, subject: SubjectId) -> Result<Vec<Waiting>, StoreError> {
    db.query(
        "SELECT subject_id, resource, day, draft_id, offered_at FROM services_waiting
          WHERE subject_id = $1
          ORDER BY day",
        params![subject],
    )
    .await
}

/// Takes somebody off the waiting lists of a draft, once they have a seat.
pub(crate) async fn stop_waiting(tx: &Tx, subject: SubjectId, draft: DraftId) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM services_waiting WHERE subject_id = $1 AND draft_id = $2",
        params![subject, draft],
    )
    .await?;
    Ok(())
}
