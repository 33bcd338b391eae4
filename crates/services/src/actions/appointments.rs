//! Appointments: a seat is held, both confirm, and no slot is ever sold twice.

use jiff::SignedDuration;
use kernel::actor::Actor;
use kernel::calendar::WorkCalendar;
use kernel::ids::{BookingId, DraftId, SubjectId};
use kernel::time::{Date, Timestamp};
use packs::Item;
use packs::expr::Value;
use packs::model::{AppointmentSpec, FieldKind, Party, Words};
use packs::table::Decision;
use store::{AuditEntry, Purpose, StoreError, Tx};
use web::App;
use web::i18n::Lang;

use super::drafts::{Work, party_name};
use super::submit::{Application, Partner, Submission, open_case, review, source_name};
use crate::error::ServiceError;
use crate::model::{SlotPlan, slot_plan};
use crate::outside::{self, Registered};
use crate::store::bookings::{self, Booking, Invitation, SlotUse};
use crate::store::drafts::{self, DraftState};

/// A slot with its free seats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreeSlot {
    /// When it begins and ends.
    pub plan: SlotPlan,
    /// How many seats are free.
    pub free: u32,
}

/// Every slot that may be booked today, with its free seats.
pub async fn slots(app: &App, spec: &AppointmentSpec) -> Result<Vec<FreeSlot>, ServiceError> {
    let plan = slot_plan(spec, app.now().china_date(), WorkCalendar::embedded());
    let Some(first) = plan.first() else { return Ok(Vec::new()) };
    let uses = bookings::uses(&app.store.read(), &spec.resource, first.start).await?;
    Ok(plan.into_iter().map(|plan| FreeSlot { plan, free: free_seats(&plan, &uses) }).collect())
}

fn free_seats(plan: &SlotPlan, uses: &[SlotUse]) -> u32 {
    let used = uses.binary_search_by_key(&plan.start, |one| one.starts_at).ok().and_then(|at| uses.get(at));
    let free = used.map_or(i64::from(plan.capacity), |one| one.capacity - one.taken);
    u32::try_from(free).unwrap_or(0)
}

/// The free slots nearest to a time.
pub fn nearest(slots: &[FreeSlot], wanted: Timestamp, most: usize) -> Vec<FreeSlot> {
    let mut free: Vec<FreeSlot> = slots.iter().copied().filter(|slot| slot.free > 0).collect();
    free.sort_by_key(|slot| (slot.plan.start.micros().abs_diff(wanted.micros()), slot.plan.start));
    free.truncate(most);
    free.sort_by_key(|slot| slot.plan.start);
    free
}

/// A slot as the answer of its field: `2026-12-01T09:00`.
pub fn slot_text(start: Timestamp) -> String {
    start.to_china_string().replace(' ', "T")
}

/// Holds a seat for a draft; a seat that it held before goes back.
pub async fn choose(
    app: &App,
    actor: &Actor,
    mut work: Work,
    start: Timestamp,
) -> Result<Work, ServiceError> {
    work.must_be_open()?;
    let spec = work.item.appointment.as_ref().ok_or(ServiceError::NotFound)?;
    let field = slot_field(&work.item).ok_or(ServiceError::NotFound)?.to_owned();
    let now = app.now();
    let plan = slot_plan(spec, now.china_date(), WorkCalendar::embedded());
    let slot = plan.into_iter().find(|slot| slot.start == start).ok_or(ServiceError::SlotTaken)?;
    let env = app.store.env();
    let booking = Booking {
        subject_id: work.draft.subject,
        booking_id: BookingId::generate(&*env.clock, &*env.entropy),
        draft_id: work.draft.id,
        item_id: work.item.id.clone(),
        resource: spec.resource.clone(),
        starts_at: start,
        state: "held".to_owned(),
        partner_id: None,
        held_until: hold_end(now, spec),
        case_id: None,
        case_no: None,
    };
    let resource = spec.resource.clone();
    if bookings::has_other(&app.store.read(), work.draft.subject, &work.item.id, work.draft.id, now).await? {
        return Err(ServiceError::BookedAlready);
    }
    work.draft.answers.values.insert(field, Some(Value::Text(slot_text(start))));
    let sealed = drafts::seal(&app.store, work.draft.subject, &work.draft.answers)?;
    let tx = app.store.begin().await?;
    release_hold(&tx, work.draft.subject, work.draft.id).await?;
    if !bookings::take(&tx, &resource, &slot).await? {
        return Err(ServiceError::SlotTaken);
    }
    bookings::insert(&tx, &booking).await?;
    bookings::stop_waiting(&tx, work.draft.subject, work.draft.id).await?;
    if !drafts::update(&tx, &work.draft, sealed).await? {
        return Err(ServiceError::ChangedElsewhere);
    }
    tx.audit(
        AuditEntry::new(actor, "services.hold_slot", Purpose::OwnUse)
            .about(work.draft.subject)
            .object("services.booking"),
    );
    tx.commit().await?;
    work.draft.version += 1;
    Ok(work)
}

/// Gives back the seat that a draft holds, if it holds one.
pub(crate) async fn release_hold(tx: &Tx, subject: SubjectId, draft: DraftId) -> Result<(), StoreError> {
    if let Some(held) = bookings::of_draft(tx, subject, draft).await? {
        bookings::change(tx, &held, &["held"], "cancelled", held.held_until).await?;
    }
    Ok(())
}

/// The field of the form that takes the slot.
fn slot_field(item: &Item) -> Option<&str> {
    item.form
        .fields()
        .map(|(_, field)| field)
        .find(|field| field.kind == FieldKind::Slot)
        .map(|field| field.id.as_str())
}

fn hold_end(now: Timestamp, spec: &AppointmentSpec) -> Timestamp {
    now.plus(SignedDuration::from_mins(i64::from(spec.hold_minutes)))
}

/// Joins the waiting list of a day.
pub async fn wait_for_day(app: &App, work: &Work, day: Date) -> Result<(), ServiceError> {
    work.must_be_open()?;
    let spec = work.item.appointment.as_ref().ok_or(ServiceError::NotFound)?;
    let rules = app.pack.procedure(&work.item.procedure).and_then(|procedure| procedure.appointment.as_ref());
    if !rules.is_some_and(|rules| rules.waiting_list) {
        return Err(ServiceError::NotFound);
    }
    let tx = app.store.begin().await?;
    bookings::wait_for(&tx, work.draft.subject, &spec.resource, &day.to_string(), work.draft.id).await?;
    tx.commit().await?;
    Ok(())
}

/// An application that the item's rules refuse gets no seat.
pub(crate) fn must_not_be_refused(decision: &Decision, lang: Lang) -> Result<(), ServiceError> {
    match decision.outcome.as_deref() {
        Some("refuse" | "auto_refuse") => {
            let mut because = decision.because.get(lang.as_str()).to_owned();
            if let Some(article) = &decision.article {
                because.push_str(&format!(" {}", article.cite(lang.as_str())));
            }
            Err(ServiceError::NotEligible(because))
        }
        _ => Ok(()),
    }
}

/// The seat of a draft, while it is held.
pub(crate) async fn must_be_held(app: &App, work: &Work) -> Result<Booking, ServiceError> {
    let held = bookings::of_draft(&app.store.read(), work.draft.subject, work.draft.id).await?;
    let held = held.filter(|booking| booking.state == "held" && booking.held_until > app.now());
    held.ok_or(ServiceError::HoldOver)
}

/// Asks the other person to confirm; the seat is held anew meanwhile.
pub(crate) async fn invite(
    app: &App,
    actor: &Actor,
    work: &Work,
    mut booking: Booking,
) -> Result<Timestamp, ServiceError> {
    let spec = work.item.appointment.as_ref().ok_or(ServiceError::NotFound)?;
    let other = other_party(work).ok_or(ServiceError::NotAParty)?;
    let Some(Value::Text(number)) = work.draft.answers.value(&other.citizen_id_field) else {
        return Err(ServiceError::NotAParty);
    };
    let partner =
        outside::find_person(&app.store.read(), number).await?.ok_or(ServiceError::PartnerUnknown)?;
    let until = hold_end(app.now(), spec);
    booking.partner_id = Some(partner);
    let tx = app.store.begin().await?;
    if !drafts::pass_on(&tx, &work.draft, DraftState::Open, DraftState::Waiting).await? {
        return Err(ServiceError::ChangedElsewhere);
    }
    if !bookings::change(&tx, &booking, &["held"], "waiting", until).await? {
        return Err(ServiceError::HoldOver);
    }
    let invitation = Invitation {
        subject_id: partner,
        booking_id: booking.booking_id,
        inviter_id: booking.subject_id,
        item_id: booking.item_id.clone(),
        starts_at: booking.starts_at,
        state: "open".to_owned(),
        until,
    };
    bookings::invite(&tx, &invitation).await?;
    for about in [work.draft.subject, partner] {
        tx.audit(
            AuditEntry::new(actor, "services.invite_to_booking", Purpose::OwnUse)
                .about(about)
                .object("services.booking"),
        );
    }
    tx.commit().await?;
    Ok(until)
}

/// The party that the applicant is not.
fn other_party(work: &Work) -> Option<&Party> {
    let own = work.draft.answers.own_party(&work.item)?;
    work.item.parties.iter().find(|party| party.id != own)
}

/// The invited person confirms with their own account: the booking becomes a case.
pub async fn confirm(
    app: &App,
    actor: &Actor,
    partner: SubjectId,
    booking: BookingId,
    lang: Lang,
) -> Result<Submission, ServiceError> {
    let db = app.store.read();
    let invitation = bookings::invitation(&db, partner, booking).await?.ok_or(ServiceError::NotFound)?;
    let booking = bookings::find(&db, invitation.inviter_id, booking).await?.ok_or(ServiceError::NotFound)?;
    if invitation.state != "open" || booking.state != "waiting" || booking.held_until <= app.now() {
        return Err(ServiceError::InvitationOver);
    }
    let work = Work::load(app, invitation.inviter_id, booking.draft_id).await?;
    let inviter = person(app, &work.item, invitation.inviter_id).await?;
    let invited = person(app, &work.item, partner).await?;
    let other = other_party(&work).ok_or(ServiceError::NotAParty)?;
    let number = work.draft.answers.value(&other.citizen_id_field);
    let same_number = matches!(number, Some(Value::Text(number)) if *number == invited.citizen_id);
    let same_name = party_name(&work.item, &work.draft.answers, &other.citizen_id_field)
        .is_none_or(|name| name == invited.name);
    if !same_number || !same_name {
        return Err(ServiceError::PartnerMismatch);
    }
    let all: Vec<&str> = work.item.parties.iter().map(|party| party.id.as_str()).collect();
    let review = review(app, &work, &inviter, &all, lang).await?;
    if !review.missing.is_empty() {
        return Err(ServiceError::Incomplete(review.missing));
    }
    must_not_be_refused(&review.decision, lang)?;
    let checked = marital(app, &work.item, [&inviter, &invited]);
    let partner = Partner {
        subject: partner,
        doubtful: [&inviter, &invited].iter().any(|person| person.has_spouse == Some(true)),
        rows: checked,
    };
    let of =
        Application { work: &work, review, person: &inviter, booking: Some(booking), partner: Some(partner) };
    open_case(app, actor, of, None).await
}

/// Whether each of the two has a spouse: the answer only, never the record (最小必要).
fn marital(app: &App, item: &Item, persons: [&Registered; 2]) -> Vec<cases::model::Row> {
    let asks = item.conditions.iter().any(|condition| condition.id == "single");
    if !asks {
        return Vec::new();
    }
    let row = |person: &Registered| {
        let value = match person.has_spouse {
            Some(true) => Words::new("否", "no"),
            Some(false) => Words::new("是", "yes"),
            None => Words::new("未查到，到场时核验", "not found; checked when they come"),
        };
        let name = super::submit::masked(&person.name);
        cases::model::Row {
            field: "marriage.status".to_owned(),
            label: Words::new(format!("{name} 无配偶"), format!("{name}: not married")),
            value: value.into(),
            source: person
                .has_spouse
                .map(|_| cases::model::Source { name: source_name(app, "marriage"), as_of: app.now() }),
        }
    };
    persons.into_iter().map(row).collect()
}

async fn person(app: &App, item: &Item, subject: SubjectId) -> Result<Registered, ServiceError> {
    outside::person(&app.store.read(), item, subject).await?.ok_or(ServiceError::NotAPerson)
}

/// The invited person does not want to.
pub async fn decline(
    app: &App,
    actor: &Actor,
    partner: SubjectId,
    booking: BookingId,
) -> Result<(), ServiceError> {
    let db = app.store.read();
    let invitation = bookings::invitation(&db, partner, booking).await?.ok_or(ServiceError::NotFound)?;
    let booking = bookings::find(&db, invitation.inviter_id, booking).await?.ok_or(ServiceError::NotFound)?;
    let tx = app.store.begin().await?;
    if !bookings::answer(&tx, partner, booking.booking_id, "declined").await? {
        return Err(ServiceError::InvitationOver);
    }
    end(&tx, &booking, &["waiting"], "declined").await?;
    for about in [partner, booking.subject_id] {
        tx.audit(
            AuditEntry::new(actor, "services.decline_booking", Purpose::OwnUse)
                .about(about)
                .object("services.booking"),
        );
    }
    tx.commit().await?;
    Ok(())
}

/// Gives up a booking, while there is time for others to take the seat.
pub async fn cancel(
    app: &App,
    actor: &Actor,
    subject: SubjectId,
    booking: BookingId,
) -> Result<(), ServiceError> {
    let booking = bookings::find(&app.store.read(), subject, booking).await?.ok_or(ServiceError::NotFound)?;
    if booking.state == "booked" && !may_change(app, &booking) {
        return Err(ServiceError::TooLate);
    }
    let tx = app.store.begin().await?;
    let before = booking.state.clone();
    if !matches!(before.as_str(), "held" | "waiting" | "booked") {
        return Err(ServiceError::NotFound);
    }
    end(&tx, &booking, &[before.as_str()], "cancelled").await?;
    if before == "booked"
        && let Some(case) = booking.case_id
    {
        outside::revoke_slips(&tx, &booking, case).await?;
    }
    tx.audit(
        AuditEntry::new(actor, "services.cancel_booking", Purpose::OwnUse)
            .about(subject)
            .object("services.booking"),
    );
    tx.commit().await?;
    Ok(())
}

/// Whether a booking may still be moved or given up.
pub(crate) fn may_change(app: &App, booking: &Booking) -> bool {
    let procedure = app.pack.item(&booking.item_id).and_then(|item| app.pack.procedure(&item.procedure));
    let hours =
        procedure.and_then(|one| one.appointment.as_ref()).map_or(0, |rules| rules.change_until_hours);
    booking.starts_at.since(app.now()) >= SignedDuration::from_hours(i64::from(hours))
}

/// Ends a booking: the seat goes back, the invitation is over, the draft may be gone on with, and whoever has
/// waited longest is told.
pub(crate) async fn end(tx: &Tx, booking: &Booking, from: &[&str], to: &str) -> Result<bool, StoreError> {
    if !bookings::change(tx, booking, from, to, booking.held_until).await? {
        return Ok(false);
    }
    if let Some(partner) = booking.partner_id {
        let word = if to == "expired" { "expired" } else { "cancelled" };
        bookings::answer(tx, partner, booking.booking_id, word).await?;
    }
    drafts::reopen(tx, booking.subject_id, booking.draft_id).await?;
    bookings::offer(tx, &booking.resource, &booking.starts_at.china_date().to_string()).await?;
    Ok(true)
}

/// Ends every booking whose hold has run out, and forgets drafts whose time is over. Harmless when it runs
/// twice; misses nothing when it did not run for a day.
pub async fn expire(app: &App) -> Result<usize, ServiceError> {
    let now = app.now();
    let overdue = bookings::overdue(&app.store.read(), now).await?;
    let stale = drafts::expired(&app.store.read(), now).await?;
    if overdue.is_empty() && stale.is_empty() {
        return Ok(0);
    }
    let tx = app.store.begin().await?;
    let mut ended = 0;
    for booking in &overdue {
        ended += usize::from(end(&tx, booking, &["held", "waiting"], "expired").await?);
    }
    for draft in &stale {
        let found = drafts::find(&tx, draft.subject_id, draft.draft_id).await?;
        for file in found.iter().flat_map(|draft| draft.answers.files.values()) {
            store::blobs::remove(&tx, draft.subject_id, file.blob).await?;
        }
        release_hold(&tx, draft.subject_id, draft.draft_id).await?;
        ended += usize::from(drafts::delete(&tx, draft.subject_id, draft.draft_id).await?);
    }
    tx.commit().await?;
    Ok(ended)
}
