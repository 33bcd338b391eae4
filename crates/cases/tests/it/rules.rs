//! Rules of the model, without a ledger: whatever is allowed leads to a possible case.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use cases::model::{
    Automatic, Case, CaseError, CaseEvent, CaseEventKind, EventActor, Grade, Moment, Opened, Payload, Point,
    Reason, Stage, Terms, Words, clock_events, national,
};
use jiff::SignedDuration;
use kernel::actor::{Actor, PostHolding};
use kernel::calendar::WorkCalendar;
use kernel::entropy::SeededEntropy;
use kernel::ids::{AccountId, CaseId, SubjectId};
use kernel::legal_clock::{ClockRule, Light, Limit, StartEvent, Unit, compute};
use kernel::time::{ManualClock, Timestamp};
use packs::Pack;
use proptest::prelude::*;

static PACK: LazyLock<Pack> =
    LazyLock::new(|| Pack::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs"))).unwrap());

const ORG: &str = "dali-city-market";
const START: &str = "2026-03-02T09:00:00+08:00";

fn id(number: u64) -> SubjectId {
    SubjectId::generate(&ManualClock::new(Timestamp::parse(START).unwrap()), &SeededEntropy::new(number))
}

fn account(number: u64) -> AccountId {
    AccountId::generate(&ManualClock::new(Timestamp::parse(START).unwrap()), &SeededEntropy::new(number))
}

/// An officer by account and person; the two may differ.
fn officer(account_number: u64, person: u64, roles: &[&str]) -> Actor {
    let posts = roles
        .iter()
        .map(|role| PostHolding {
            post: format!("post-{role}").parse().unwrap(),
            org: ORG.parse().unwrap(),
            role: (*role).to_owned(),
        })
        .collect();
    Actor::Officer { account: account(account_number), subject: id(person), posts }
}

fn opening(procedure: &str, start: StartEvent) -> CaseEvent {
    let procedure = PACK.procedure(procedure).unwrap();
    let at = Timestamp::parse(START).unwrap();
    let rule = |days| ClockRule {
        limit: Limit { days, unit: Unit::WorkingDays },
        start,
        source: "行政许可法 42".to_owned(),
    };
    CaseEvent {
        seq: 1,
        at,
        actor: EventActor {
            kind: "citizen".to_owned(),
            account: Some(account(1)),
            subject: Some(id(1)),
            label: String::new(),
        },
        kind: CaseEventKind::Opened(Box::new(Opened {
            case_no: "532901-20260302-7QK3M9X-C".to_owned(),
            item_id: "item".to_owned(),
            item_hash: "sm3:00".to_owned(),
            item_name: Words::new("事项", "Item"),
            procedure_id: procedure.id.clone(),
            procedure_hash: procedure.hash().to_owned(),
            org: ORG.parse().unwrap(),
            division: "532901".to_owned(),
            applicant: "段誉和".to_owned(),
            parent: None,
            statutory: Some(rule(20)),
            promised: rule(5),
            terms: Terms::resolve(procedure, PACK.rules(), at.china_date()).unwrap(),
            payload: Payload::default(),
        })),
    }
}

fn begin(procedure: &str) -> (Case, Vec<CaseEvent>) {
    let events = vec![opening(procedure, StartEvent::Accepted)];
    (fold(procedure, &events).unwrap(), events)
}

fn fold(procedure: &str, events: &[CaseEvent]) -> Result<Case, CaseError> {
    let procedure = Arc::new((**PACK.procedure(procedure).unwrap()).clone());
    let case_id =
        CaseId::generate(&ManualClock::new(Timestamp::parse(START).unwrap()), &SeededEntropy::new(9));
    Case::fold(id(1), case_id, procedure, events)
}

fn reason() -> Reason {
    Reason { text: Words::new("理由", "A reason"), article: None }
}

/// What somebody may try.
#[derive(Clone, Copy, Debug)]
enum Try {
    Claim,
    Release,
    AskCorrection,
    AnswerCorrection,
    Accept,
    Reject,
    Examine,
    Decide(bool),
    DecideAutomatically,
    Pause,
    Resume,
    Extend,
    Withdraw,
    Terminate,
    Deliver,
    Note,
    Rate(u8, usize),
    RateAgain,
    Sweep,
}

fn tries() -> impl Strategy<Value = Try> {
    prop_oneof![
        2 => Just(Try::Claim),
        1 => Just(Try::Release),
        2 => Just(Try::AskCorrection),
        2 => Just(Try::AnswerCorrection),
        4 => Just(Try::Accept),
        1 => Just(Try::Reject),
        4 => Just(Try::Examine),
        3 => any::<bool>().prop_map(Try::Decide),
        1 => Just(Try::DecideAutomatically),
        2 => Just(Try::Pause),
        2 => Just(Try::Resume),
        1 => Just(Try::Extend),
        1 => Just(Try::Withdraw),
        1 => Just(Try::Terminate),
        2 => Just(Try::Deliver),
        1 => Just(Try::Note),
        2 => (1_u8..=5, 0_usize..3).prop_map(|(grade, moment)| Try::Rate(grade, moment)),
        1 => Just(Try::RateAgain),
        2 => Just(Try::Sweep),
    ]
}

fn attempt(case: &Case, step: Try, now: Timestamp) -> Result<Vec<CaseEventKind>, CaseError> {
    let calendar = WorkCalendar::embedded();
    let today = now.china_date();
    match step {
        Try::Claim => case.claim(),
        Try::Release => case.release(account(11)),
        Try::AskCorrection => case.ask_correction(&[Point { text: "缺少照片".to_owned() }], calendar, now),
        Try::AnswerCorrection => case.answer_correction("已补", None),
        Try::Accept => case.accept(calendar, now),
        Try::Reject => case.reject_application(&[reason()], calendar, now),
        Try::Examine => case.examine("属实", None),
        Try::Decide(yes) => {
            case.decide(if yes { "approved" } else { "refused" }, &[reason()], Default::default())
        }
        Try::DecideAutomatically => {
            let by = Automatic { item_hash: String::new(), row: 1 };
            case.decide_automatically("approved", &[reason()], Default::default(), by)
        }
        Try::Pause => case.pause("hearing", "举行听证"),
        Try::Resume => case.resume(),
        Try::Extend => case.extend("情形复杂", calendar, now),
        Try::Withdraw => case.withdraw(""),
        Try::Terminate => case.terminate(&[reason()], today),
        Try::Deliver => case.deliver(None),
        Try::Note => case.add_note("备注"),
        Try::Rate(grade, moment) => {
            case.rate(Moment::ALL[moment], Grade::new(grade).unwrap(), Default::default(), "")
        }
        Try::RateAgain => case.rate_again(Moment::Completion, Grade::new(5).unwrap()),
        Try::Sweep => {
            let silent = case.accept_by_silence(calendar, today)?;
            Ok(silent.into_iter().chain(case.archive(today)).collect())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever a case allows leads to events that can be folded again, to the same case, the same dates and
    /// the same clocks as reckoning from nothing; and a case that has ended has no deadline left.
    #[test]
    fn allowed_steps_never_reach_an_impossible_case(
        steps in prop::collection::vec((tries(), 0_i64..4 * 24 * 60), 1..40),
        from_receipt in any::<bool>(),
        procedure in prop_oneof![Just("registration-confirmation"), Just("benefit")],
    ) {
        let calendar = WorkCalendar::embedded();
        let start = if from_receipt { StartEvent::Received } else { StartEvent::Accepted };
        let mut events = vec![opening(procedure, start)];
        let mut case = fold(procedure, &events).unwrap();
        let mut now = events[0].at;
        for (step, minutes) in steps {
            now = now.plus(SignedDuration::from_mins(minutes));
            let Ok(kinds) = attempt(&case, step, now) else { continue };
            for kind in kinds {
                let actor = EventActor::new(&officer(11, 11, &["registrar"]), None);
                let event = case.next_event(kind, actor, now);
                prop_assert!(case.apply(&event).is_ok(), "{step:?} was allowed in {:?} and cannot follow", case.status());
                events.push(event);
            }
        }
        let again = fold(procedure, &events).unwrap();
        prop_assert_eq!(again.status(), case.status());
        prop_assert_eq!(again.agenda(calendar), case.agenda(calendar));
        prop_assert_eq!(again.due_role(), case.due_role());

        let CaseEventKind::Opened(opened) = &events[0].kind else { unreachable!() };
        let told = clock_events(&events);
        let today = now.china_date();
        let (statutory, promised) = case.readings(calendar, today);
        if let Some(state) = promised.state() {
            prop_assert_eq!(state, &compute(&opened.promised, &told, calendar, today).unwrap());
        }
        if let Some(reading) = &statutory && let Some(state) = reading.state() {
            prop_assert_eq!(state, &compute(opened.statutory.as_ref().unwrap(), &told, calendar, today).unwrap());
        }

        let agenda = case.agenda(calendar);
        let stage = case.stage();
        prop_assert_eq!(stage.is_open(), case.outcome().is_none());
        prop_assert!(!agenda.done || case.due_role().is_none());
        prop_assert!(stage.is_open() || (case.pause.is_none() && agenda.watches.is_empty()));
        prop_assert_eq!(case.closed_at().is_some(), !stage.is_open());
        prop_assert!(case.assignee.is_none() || case.due_role().is_some());
        for states in national::states(&case, &events) {
            prop_assert!((1..=15).contains(&states.1));
        }
    }

    /// The light that a queue computes from kept dates is the light of the clock, on each day.
    #[test]
    fn kept_dates_give_the_light_of_the_clock(days in 0_i64..60, limit in 0_u32..40, natural in any::<bool>()) {
        let calendar = WorkCalendar::embedded();
        let unit = if natural { Unit::NaturalDays } else { Unit::WorkingDays };
        let mut first = opening("registration-confirmation", StartEvent::Accepted);
        if let CaseEventKind::Opened(opened) = &mut first.kind {
            opened.statutory = None;
            opened.promised.limit = Limit { days: limit, unit };
        }
        let mut case = fold("registration-confirmation", &[first.clone()]).unwrap();
        let accepted = case.next_event(CaseEventKind::Accepted, EventActor::node(), first.at);
        case.apply(&accepted).unwrap();
        let today = first.at.plus(SignedDuration::from_hours(24 * days)).china_date();
        let (_, promised) = case.readings(calendar, today);
        prop_assert_eq!(case.agenda(calendar).light(today), promised.state().unwrap().light);
    }
}

#[test]
fn every_refusal_has_a_code_and_names_the_rule() {
    let now = Timestamp::parse(START).unwrap();
    let (mut case, _) = begin("registration-confirmation");
    let refused = |case: &Case, step| kernel::error::Coded::code(&attempt(case, step, now).unwrap_err());
    for step in [Try::Examine, Try::Decide(true), Try::Pause, Try::Deliver, Try::Extend, Try::Terminate] {
        assert_eq!(refused(&case, step), "case.wrong_stage", "{step:?}");
    }
    assert_eq!(refused(&case, Try::Resume), "case.not_paused");
    assert_eq!(refused(&case, Try::Release), "case.not_claimed");
    assert_eq!(refused(&case, Try::Rate(5, 2)), "case.not_ratable");
    apply(&mut case, Try::Accept);
    apply(&mut case, Try::Pause);
    assert_eq!(refused(&case, Try::Examine), "case.paused");
    apply(&mut case, Try::Resume);
    apply(&mut case, Try::Examine);
    assert_eq!(
        kernel::error::Coded::code(&case.decide("maybe", &[reason()], Default::default()).unwrap_err()),
        "case.unknown_outcome"
    );
    assert_eq!(
        kernel::error::Coded::code(&case.decide("approved", &[], Default::default()).unwrap_err()),
        "case.text_missing"
    );
    apply(&mut case, Try::Decide(false));
    assert_eq!(case.stage(), Stage::Rating, "the text of a refusal is delivered with it");
    assert_eq!(refused(&case, Try::Withdraw), "case.wrong_stage");
}

fn apply(case: &mut Case, step: Try) {
    let now = Timestamp::parse(START).unwrap();
    for kind in attempt(case, step, now).unwrap() {
        let event = case.next_event(kind, EventActor::new(&officer(11, 11, &["registrar"]), None), now);
        case.apply(&event).unwrap();
    }
}

#[test]
fn the_same_person_is_refused_with_whatever_account() {
    let (mut case, _) = begin("registration-confirmation");
    apply(&mut case, Try::Accept);
    apply(&mut case, Try::Examine);
    for (account, person, may) in [(11, 11, false), (11, 12, false), (12, 11, false), (12, 12, true)] {
        let refused = case.post_for(&officer(account, person, &["approver"])).is_ok();
        assert_eq!(refused, may, "account {account}, person {person}");
    }
}

#[test]
fn an_extension_after_the_limit_is_refused() {
    let calendar = WorkCalendar::embedded();
    let (mut case, _) = begin("registration-confirmation");
    apply(&mut case, Try::Accept);
    let later = Timestamp::parse("2026-04-20T09:00:00+08:00").unwrap();
    let refused = case.extend("情形复杂", calendar, later).unwrap_err();
    assert_eq!(kernel::error::Coded::code(&refused), "case.extension_too_late");
}

#[test]
fn silence_turns_the_light_and_then_accepts() {
    let calendar = WorkCalendar::embedded();
    let (case, _) = begin("registration-confirmation");
    let agenda = case.agenda(calendar);
    // Received on Monday 2 March 2026: five working days end on Monday 9 March.
    assert_eq!(agenda.due.unwrap().to_string(), "2026-03-09");
    for (day, light) in
        [("2026-03-05", Light::Green), ("2026-03-06", Light::Yellow), ("2026-03-10", Light::Red)]
    {
        assert_eq!(agenda.light(day.parse().unwrap()), light, "{day}");
    }
    assert_eq!(agenda.wake_on.unwrap().to_string(), "2026-03-10");
    assert!(case.accept_by_silence(calendar, "2026-03-09".parse().unwrap()).unwrap().is_none());
    assert!(case.accept_by_silence(calendar, "2026-03-10".parse().unwrap()).unwrap().is_some());
}

/// A due date past the calendar is not guessed, and does not keep anybody from applying.
#[test]
fn a_due_date_past_the_calendar_is_said_to_be_unknown() {
    let calendar = WorkCalendar::embedded();
    let mut first = opening("registration-confirmation", StartEvent::Received);
    first.at = Timestamp::parse("2026-12-28T09:00:00+08:00").unwrap();
    let case = fold("registration-confirmation", &[first]).unwrap();
    let (statutory, promised) = case.readings(calendar, "2026-12-28".parse().unwrap());
    assert_eq!((statutory.unwrap().due(), promised.due()), (None, None));
    let agenda = case.agenda(calendar);
    assert!(agenda.beyond_calendar && agenda.due.is_none());
    assert_eq!(agenda.light("2026-12-31".parse().unwrap()), Light::Green);
}

#[test]
fn the_fifteen_national_states() {
    use Try::*;
    let table: [(&[Try], &[u8]); 9] = [
        (&[], &[1]),
        (&[Withdraw], &[1, 2]),
        (&[Accept], &[1, 3]),
        (&[Reject], &[1, 5]),
        (&[AskCorrection, AnswerCorrection], &[1, 6, 7]),
        (&[Accept, Claim, Examine], &[1, 3, 8]),
        (&[Accept, Examine, Pause, Resume, Decide(true)], &[1, 3, 8, 9, 10, 11]),
        (&[Accept, Examine, Decide(false)], &[1, 3, 8, 13]),
        (&[Accept, Withdraw], &[1, 3, 14]),
    ];
    let now = Timestamp::parse(START).unwrap();
    for (steps, expected) in table {
        let (mut case, mut events) = begin("registration-confirmation");
        for step in steps {
            for kind in attempt(&case, *step, now).unwrap() {
                let event =
                    case.next_event(kind, EventActor::new(&officer(11, 11, &["registrar"]), None), now);
                case.apply(&event).unwrap();
                events.push(event);
            }
        }
        let states: Vec<u8> = national::states(&case, &events).into_iter().map(|(_, state)| state).collect();
        assert_eq!(states, expected, "{steps:?}");
    }
    let (mut case, mut events) = begin("registration-confirmation");
    for kind in [case.accept(WorkCalendar::embedded(), now).unwrap()].concat() {
        let event = case.next_event(kind, EventActor::node(), now);
        case.apply(&event).unwrap();
        events.push(event);
    }
    for kind in case.terminate(&[reason()], now.china_date()).unwrap() {
        let event = case.next_event(kind, EventActor::node(), now);
        case.apply(&event).unwrap();
        events.push(event);
    }
    assert_eq!(national::states(&case, &events).last().unwrap().1, 15);
    let (case, _) = begin("registration-confirmation");
    let tolerant = case.next_event(
        CaseEventKind::Decided {
            step: None,
            outcome: "approved-tolerant".to_owned(),
            favourable: true,
            reasons: vec![reason()],
            values: Default::default(),
            automatic: None,
        },
        EventActor::node(),
        now,
    );
    assert_eq!(national::state_after(&case, &tolerant), Some(12));
}
