//! Legal clocks on the real calendar, against the words of the law and against a naive model.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use jiff::ToSpan;
use jiff::civil::date;
use kernel::calendar::WorkCalendar;
use kernel::error::Coded;
use kernel::legal_clock::{
    ClockError, ClockEvent, ClockEventKind, ClockRule, ClockRun, ClockState, DeemedAcceptance, Light, Limit,
    PauseCause, PauseGround, StartEvent, Step, Unit, compute, correction_deadline, deemed_acceptance,
};
use kernel::time::{Date, Timestamp};
use proptest::prelude::*;

use ClockEventKind::{Accepted, CorrectionAnswered, Decided, DeemedAccepted, Received, Resumed};

fn calendar() -> &'static WorkCalendar {
    WorkCalendar::embedded()
}

/// An event at ten in the morning.
fn on(day: Date, kind: ClockEventKind) -> ClockEvent {
    ClockEvent { at: Timestamp::from_china(day.at(10, 0, 0, 0)), kind }
}

fn asked() -> ClockEventKind {
    ClockEventKind::CorrectionAsked { document: "补正告知书".into() }
}

fn paused(ground: PauseGround) -> ClockEventKind {
    ClockEventKind::Paused {
        ground, article: ground.article().into(), document: "特别程序告知书".into()
    }
}

fn extended(days: u32) -> ClockEventKind {
    ClockEventKind::Extended { days, approver: "局长".into(), article: "行政许可法 42".into() }
}

fn twenty() -> ClockRule {
    ClockRule::working_days(20, "行政许可法 42")
}

fn natural(days: u32) -> ClockRule {
    let limit = Limit { days, unit: Unit::NaturalDays };
    ClockRule { limit, start: StartEvent::Received, source: "民法典 1077".into() }
}

fn state(rule: &ClockRule, events: &[ClockEvent], today: Date) -> ClockState {
    compute(rule, events, calendar(), today).unwrap()
}

fn error(rule: &ClockRule, events: &[ClockEvent]) -> ClockError {
    compute(rule, events, calendar(), date(2026, 11, 24)).unwrap_err()
}

#[test]
fn the_day_after_acceptance_is_day_one() {
    // Monday 2 November; a five-day limit is used up on Monday the 9th.
    let events = [on(date(2026, 11, 2), Received), on(date(2026, 11, 2), Accepted)];
    let state = state(&ClockRule::working_days(5, "承诺"), &events, date(2026, 11, 2));
    assert_eq!((state.started, state.due), (Some(date(2026, 11, 2)), Some(date(2026, 11, 9))));
    assert_eq!((state.remaining, state.light), (Some(5), Light::Green));
}

#[test]
fn the_derivation_names_each_stretch() {
    let events = [on(date(2026, 9, 28), Received), on(date(2026, 9, 28), Accepted)];
    let state = state(&twenty(), &events, date(2026, 9, 28));
    assert_eq!(
        state.derivation,
        [
            Step::Started { event: StartEvent::Accepted, date: date(2026, 9, 28) },
            // 32 days, of them seven of the holiday and five of plain weekends; Saturday 10 October is worked.
            Step::Counted { days: 20, from: date(2026, 9, 29), to: date(2026, 10, 30), skipped: 12 },
            Step::Due { date: date(2026, 10, 30) },
        ]
    );
}

#[test]
fn make_up_workdays_bring_the_due_date_nearer() {
    // Friday 13 February 2026: the Saturday after it is worked for the spring festival.
    let events = [on(date(2026, 2, 13), Received)];
    let rule = ClockRule::working_days(1, "承诺").starting_at(StartEvent::Received);
    assert_eq!(state(&rule, &events, date(2026, 2, 13)).due, Some(date(2026, 2, 14)));
}

#[test]
fn nothing_runs_before_the_start() {
    let events = [on(date(2026, 11, 2), Received)];
    let state = state(&twenty(), &events, date(2026, 11, 20));
    assert_eq!((state.started, state.due, state.remaining), (None, None, None));
    assert_eq!((state.light, state.derivation), (Light::Green, vec![]));
}

#[test]
fn the_same_events_run_the_statutory_and_the_promised_clock() {
    let events = [on(date(2026, 11, 2), Received), on(date(2026, 11, 3), Accepted)];
    let promised = ClockRule::working_days(3, "承诺");
    assert_eq!(state(&twenty(), &events, date(2026, 11, 3)).due, Some(date(2026, 12, 1)));
    assert_eq!(state(&promised, &events, date(2026, 11, 3)).due, Some(date(2026, 11, 6)));
}

#[test]
fn a_limit_on_the_spot_is_due_the_same_day() {
    let rule = ClockRule::working_days(0, "当场").starting_at(StartEvent::Received);
    let events = [on(date(2026, 11, 2), Received)];
    let same_day = state(&rule, &events, date(2026, 11, 2));
    assert_eq!(
        (same_day.due, same_day.remaining, same_day.light),
        (Some(date(2026, 11, 2)), Some(0), Light::Yellow)
    );
    assert_eq!(state(&rule, &events, date(2026, 11, 3)).light, Light::Red);
    let decided = [on(date(2026, 11, 2), Received), on(date(2026, 11, 2), Decided)];
    let done = state(&rule, &decided, date(2026, 11, 30));
    assert_eq!((done.light, done.overdue, done.finished), (Light::Done, false, Some(date(2026, 11, 2))));
}

#[test]
fn an_appraisal_is_not_counted() {
    let events = [
        on(date(2026, 11, 2), Received),
        on(date(2026, 11, 2), Accepted),
        on(date(2026, 11, 4), paused(PauseGround::Appraisal)),
        on(date(2026, 11, 12), Resumed),
    ];
    let state = state(&ClockRule::working_days(5, "承诺"), &events, date(2026, 11, 12));
    // The 3rd and 4th count, the six working days from the 5th to the 12th do not, then three more do.
    assert_eq!(state.due, Some(date(2026, 11, 17)));
    assert_eq!(
        state.derivation.get(1..),
        Some(
            &[
                Step::Counted { days: 2, from: date(2026, 11, 3), to: date(2026, 11, 4), skipped: 0 },
                Step::PausedBetween {
                    cause: PauseCause::Ground(PauseGround::Appraisal),
                    article: "行政许可法 45".into(),
                    from: date(2026, 11, 5),
                    to: Some(date(2026, 11, 12)),
                    days: 6,
                },
                Step::Counted { days: 3, from: date(2026, 11, 13), to: date(2026, 11, 17), skipped: 2 },
                Step::Due { date: date(2026, 11, 17) },
            ][..]
        )
    );
}

#[test]
fn while_a_pause_lasts_there_is_no_due_date() {
    let events = [on(date(2026, 11, 2), Accepted), on(date(2026, 11, 4), paused(PauseGround::Hearing))];
    let state = state(&ClockRule::working_days(5, "承诺"), &events, date(2026, 11, 20));
    assert_eq!((state.due, state.paused, state.light), (None, true, Light::Paused));
    assert_eq!(state.remaining, Some(3));
    assert!(matches!(state.derivation.last(), Some(Step::PausedBetween { to: None, days: 12, .. })));
}

#[test]
fn a_pause_after_the_due_date_heals_nothing() {
    let events = [on(date(2026, 11, 2), Accepted), on(date(2026, 11, 16), paused(PauseGround::Testing))];
    let state = state(&ClockRule::working_days(5, "承诺"), &events, date(2026, 11, 18));
    assert_eq!((state.due, state.overdue, state.paused), (Some(date(2026, 11, 9)), true, true));
    assert_eq!((state.light, state.remaining), (Light::Red, Some(-7)));
}

#[test]
fn the_time_of_a_correction_is_not_counted() {
    let rule = ClockRule::working_days(5, "承诺").starting_at(StartEvent::Received);
    let asked = [on(date(2026, 11, 2), Received), on(date(2026, 11, 3), asked())];
    let waiting = state(&rule, &asked, date(2026, 11, 9));
    assert_eq!((waiting.light, waiting.remaining), (Light::Paused, Some(4)));
    let answered = [asked.as_slice(), &[on(date(2026, 11, 9), CorrectionAnswered)]].concat();
    let state = state(&rule, &answered, date(2026, 11, 9));
    assert_eq!((state.due, state.light), (Some(date(2026, 11, 13)), Light::Green));
    let step = state.derivation.get(2).unwrap();
    assert!(
        matches!(step, Step::PausedBetween { cause: PauseCause::Correction, article, .. } if article == "行政许可法 32")
    );
}

#[test]
fn the_head_of_the_organ_extends_by_ten_days() {
    let events = [on(date(2026, 9, 28), Accepted), on(date(2026, 10, 27), extended(10))];
    let state = state(&twenty(), &events, date(2026, 10, 27));
    assert_eq!((state.due, state.remaining), (Some(date(2026, 11, 13)), Some(13)));
    assert!(
        matches!(state.derivation.get(1), Some(Step::Extended { days: 10, approver, .. }) if approver == "局长")
    );
}

#[test]
fn an_extension_after_the_due_date_changes_nothing_and_is_named() {
    let events = [on(date(2026, 9, 28), Accepted), on(date(2026, 11, 2), extended(10))];
    let state = state(&twenty(), &events, date(2026, 11, 3));
    assert_eq!((state.due, state.light), (Some(date(2026, 10, 30)), Light::Red));
    let expected =
        Step::ExtendedTooLate { days: 10, date: date(2026, 11, 2), article: "行政许可法 42".into() };
    assert_eq!(state.derivation.get(1), Some(&expected));
}

#[test]
fn the_light_turns_yellow_at_a_fifth_and_red_past_the_due_date() {
    let events = [on(date(2026, 9, 28), Accepted)];
    let light = |today| state(&twenty(), &events, today).light;
    assert_eq!(light(date(2026, 10, 23)), Light::Green);
    assert_eq!(state(&twenty(), &events, date(2026, 10, 26)).remaining, Some(4));
    assert_eq!(light(date(2026, 10, 26)), Light::Yellow);
    assert_eq!(light(date(2026, 10, 30)), Light::Yellow);
    // The day after is a Saturday: no working day has passed, yet the date has.
    let saturday = state(&twenty(), &events, date(2026, 10, 31));
    assert_eq!((saturday.light, saturday.remaining), (Light::Red, Some(0)));
    assert_eq!(state(&twenty(), &events, date(2026, 11, 2)).remaining, Some(-1));
}

#[test]
fn short_limits_warn_for_at_least_one_day() {
    assert_eq!(Light::for_remaining(1, 3), Light::Yellow);
    assert_eq!(Light::for_remaining(2, 3), Light::Green);
    // 20 % of 6 days is 1.2 days, rounded up to 2.
    assert_eq!(Light::for_remaining(2, 6), Light::Yellow);
    assert_eq!(Light::for_remaining(3, 6), Light::Green);
}

#[test]
fn after_the_decision_the_clock_stands_still() {
    let events = [on(date(2026, 9, 28), Accepted), on(date(2026, 11, 4), Decided)];
    let soon = state(&twenty(), &events, date(2026, 11, 4));
    assert_eq!((soon.light, soon.overdue, soon.remaining), (Light::Done, true, Some(-3)));
    assert_eq!(soon, state(&twenty(), &events, date(2026, 12, 31)));
    assert_eq!(soon.derivation.last(), Some(&Step::Finished { date: date(2026, 11, 4) }));
}

#[test]
fn a_limit_in_natural_days_that_ends_on_a_day_off_ends_on_the_next_working_day() {
    // Thirty days after 2 September is 2 October, in the middle of the holiday.
    let events = [on(date(2026, 9, 2), Received)];
    let state = state(&natural(30), &events, date(2026, 9, 2));
    assert_eq!((state.due, state.remaining), (Some(date(2026, 10, 8)), Some(36)));
    let rolled = Step::RolledOver { from: date(2026, 10, 2), to: date(2026, 10, 8) };
    assert_eq!(state.derivation.get(2), Some(&rolled));
}

#[test]
fn beyond_the_calendar_the_clock_says_so() {
    let events = [on(date(2026, 12, 15), Accepted)];
    let error = error(&twenty(), &events);
    assert_eq!((error.code(), error.to_string().contains("2004 to 2026")), ("calendar.beyond", true));
    assert_eq!(
        compute(&natural(u32::MAX), &[on(date(2026, 12, 1), Received)], calendar(), date(2026, 12, 1))
            .unwrap_err()
            .code(),
        "calendar.beyond"
    );
}

#[test]
fn a_due_date_of_the_last_year_stays_known_in_the_next() {
    let events = [on(date(2026, 11, 2), Accepted)];
    let state = state(&twenty(), &events, date(2027, 1, 4));
    assert_eq!((state.due, state.light, state.remaining), (Some(date(2026, 11, 30)), Light::Red, None));
    let paused = [on(date(2026, 11, 2), Accepted), on(date(2026, 11, 4), paused(PauseGround::Tender))];
    assert_eq!(compute(&twenty(), &paused, calendar(), date(2027, 1, 4)).unwrap().light, Light::Paused);
}

#[test]
fn events_that_cannot_follow_each_other_are_refused() {
    let (first, second, third) = (date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 4));
    let cases: [(&[ClockEvent], ClockError); 9] = [
        (&[on(second, Received), on(first, Accepted)], ClockError::OutOfOrder { index: 1 }),
        (&[on(first, Received), on(second, Received)], ClockError::Repeated { index: 1 }),
        (&[on(first, Accepted), on(second, Accepted)], ClockError::Repeated { index: 1 }),
        (&[on(first, DeemedAccepted)], ClockError::NotReceived { index: 0 }),
        (
            &[on(first, asked()), on(second, CorrectionAnswered), on(third, asked())],
            ClockError::SecondCorrection { index: 2 },
        ),
        (
            &[on(first, asked()), on(second, paused(PauseGround::Hearing))],
            ClockError::AlreadyPaused { index: 1 },
        ),
        (
            &[on(first, paused(PauseGround::Hearing)), on(second, CorrectionAnswered)],
            ClockError::NotPaused { index: 1 },
        ),
        (&[on(first, Received), on(second, Resumed)], ClockError::NotPaused { index: 1 }),
        (&[on(first, Decided), on(second, Resumed)], ClockError::AfterDecision { index: 1 }),
    ];
    for (events, expected) in cases {
        assert_eq!(error(&twenty(), events), expected);
    }
}

#[test]
fn a_refused_event_leaves_the_clock_as_it_was() {
    let mut run = ClockRun::new(twenty());
    run.push(&on(date(2026, 11, 3), Accepted)).unwrap();
    let before = run.clone();
    assert!(run.push(&on(date(2026, 11, 4), Resumed)).is_err());
    assert!(run.push(&on(date(2026, 11, 2), Decided)).is_err());
    assert_eq!(run, before);
}

#[test]
fn the_office_has_five_working_days_for_its_one_notice() {
    assert_eq!(correction_deadline(date(2026, 9, 30), calendar()), Ok(date(2026, 10, 13)));
    assert!(correction_deadline(date(2026, 12, 30), calendar()).is_err());
}

#[test]
fn silence_accepts_from_the_day_of_receipt() {
    let received = date(2026, 11, 2);
    let deadline = date(2026, 11, 9);
    let deemed = |events: &[ClockEvent], today| deemed_acceptance(events, calendar(), today).unwrap();
    let silence = [on(received, Received)];
    assert_eq!(deemed(&[], deadline), None);
    assert_eq!(deemed(&silence, deadline), None);
    let accepted = Some(DeemedAcceptance { accepted: received, deadline });
    assert_eq!(deemed(&silence, date(2026, 11, 10)), accepted);
    // An answer in time ends it, one that comes too late does not.
    for answer in [asked(), Accepted, Decided] {
        assert_eq!(deemed(&[on(received, Received), on(deadline, answer.clone())], date(2026, 11, 20)), None);
        let late = [on(received, Received), on(date(2026, 11, 10), answer)];
        assert_eq!(deemed(&late, date(2026, 11, 20)), accepted);
    }
}

#[test]
fn a_clock_started_by_silence_counts_from_the_receipt() {
    let events = [on(date(2026, 11, 2), Received), on(date(2026, 11, 10), DeemedAccepted)];
    let state = state(&twenty(), &events, date(2026, 11, 10));
    assert_eq!((state.started, state.due), (Some(date(2026, 11, 2)), Some(date(2026, 11, 30))));
}

#[test]
fn the_day_of_an_event_is_the_day_in_china() {
    // Half past midnight in China is still the day before in UTC.
    let at = Timestamp::parse("2026-11-02T16:30:00Z").unwrap();
    let events = [ClockEvent { at, kind: Accepted }];
    assert_eq!(state(&twenty(), &events, date(2026, 11, 3)).started, Some(date(2026, 11, 3)));
}

#[test]
fn events_and_states_are_stored_as_json() {
    let events =
        vec![on(date(2026, 11, 2), Accepted), on(date(2026, 11, 4), paused(PauseGround::ExpertReview))];
    let text = serde_json::to_string(&events).unwrap();
    assert!(text.contains(r#""kind":{"kind":"paused","ground":"expert_review""#), "{text}");
    assert_eq!(serde_json::from_str::<Vec<ClockEvent>>(&text).unwrap(), events);
    let state = state(&twenty(), &events, date(2026, 11, 20));
    let text = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<ClockState>(&text).unwrap(), state);
    let rule = serde_json::to_string(&twenty()).unwrap();
    assert_eq!(
        rule,
        r#"{"limit":{"days":20,"unit":"working_days"},"start":"accepted","source":"行政许可法 42"}"#
    );
}

/// A case as a generator makes it: gaps in days between events, none of which breaks the order of the law.
#[derive(Clone, Debug)]
struct Story {
    rule: ClockRule,
    received: Date,
    events: Vec<ClockEvent>,
    today: Date,
}

fn story() -> impl Strategy<Value = Story> {
    let unit = prop_oneof![Just(Unit::WorkingDays), Just(Unit::NaturalDays)];
    let start = prop_oneof![Just(StartEvent::Received), Just(StartEvent::Accepted)];
    let steps = prop::collection::vec((0_i64..9, 0_u8..5), 0..10);
    (unit, start, 0_u32..30, 0_i64..6500, 0_i64..9, steps, 0_i64..40).prop_map(
        |(unit, start, days, offset, until_accepted, steps, until_today)| {
            let received = date(2004, 1, 1).checked_add(offset.days()).unwrap();
            let mut day = received.checked_add(until_accepted.days()).unwrap();
            let mut events = vec![on(received, Received), on(day, Accepted)];
            let (mut open, mut corrected) = (None, false);
            for (gap, choice) in steps {
                day = day.checked_add(gap.days()).unwrap();
                let kind = match (choice, open.take()) {
                    (4, open_pause) => {
                        open = open_pause;
                        extended(3)
                    }
                    (_, Some(end)) => end,
                    (0, None) if !corrected => {
                        corrected = true;
                        open = Some(CorrectionAnswered);
                        asked()
                    }
                    (_, None) => {
                        open = Some(Resumed);
                        paused(PauseGround::Inspection)
                    }
                };
                events.push(on(day, kind));
            }
            let rule = ClockRule { limit: Limit { days, unit }, start, source: "试".into() };
            Story { rule, received, events, today: day.checked_add(until_today.days()).unwrap() }
        },
    )
}

/// What a clerk with a wall calendar would do: mark each day of the next years as counting or not, then put the
/// finger on the last day of the limit, and again for each extension that came in time. Gives the due date and
/// the limit in the end.
fn clerk(story: &Story) -> (Option<Date>, u32) {
    let start_kind = match story.rule.start {
        StartEvent::Received => Received,
        StartEvent::Accepted => Accepted,
    };
    let start = story.events.iter().find(|event| event.kind == start_kind).unwrap().at.china_date();
    let working_days = story.rule.limit.unit == Unit::WorkingDays;
    let is_paused = |day: Date| {
        let before = story.events.iter().filter(|event| event.at.china_date() < day);
        before.fold(false, |open, event| match event.kind {
            ClockEventKind::Paused { .. } | ClockEventKind::CorrectionAsked { .. } => true,
            Resumed | CorrectionAnswered => false,
            _ => open,
        })
    };
    let works = |day: Date| calendar().is_workday(day).unwrap();
    let wall: Vec<Date> =
        start.tomorrow().unwrap().series(1.day()).take(400).filter(|day| !is_paused(*day)).collect();
    let finger = |limit: u32| {
        let mut counting = wall.iter().filter(|day| !working_days || works(**day));
        let last = match usize::try_from(limit).unwrap() {
            0 => return Some(start),
            limit => *counting.nth(limit - 1)?,
        };
        wall.iter().find(|day| **day >= last && works(**day)).copied()
    };
    let mut limit = story.rule.limit.days;
    for event in &story.events {
        if let ClockEventKind::Extended { days, .. } = event.kind
            && finger(limit).is_none_or(|due| event.at.china_date() <= due)
        {
            limit += days;
        }
    }
    (finger(limit), limit)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_due_date_is_what_a_clerk_with_a_wall_calendar_finds(story in story()) {
        let state = compute(&story.rule, &story.events, calendar(), story.today).unwrap();
        prop_assert_eq!(state.due, clerk(&story).0);
    }

    #[test]
    fn a_clock_fed_one_by_one_says_what_the_whole_computation_says(story in story()) {
        let mut run = ClockRun::new(story.rule.clone());
        for (index, event) in story.events.iter().enumerate() {
            run.push(event).unwrap();
            let so_far = story.events.get(..=index).unwrap();
            // Asking in between must not disturb what comes later.
            prop_assert_eq!(run.state(calendar(), story.received), compute(&story.rule, so_far, calendar(), story.received));
            prop_assert_eq!(run.state(calendar(), story.today), compute(&story.rule, so_far, calendar(), story.today));
        }
    }

    #[test]
    fn a_pause_never_brings_a_due_date_nearer(story in story(), at in any::<prop::sample::Index>(), length in 0_i64..20) {
        // A pause of some days is put after an event that leaves no other one open, and ends by the next event.
        let mut longer = story.clone();
        let mut open = false;
        let mut places = Vec::new();
        for (index, event) in story.events.iter().enumerate() {
            match event.kind {
                ClockEventKind::Paused { .. } | ClockEventKind::CorrectionAsked { .. } => open = true,
                Resumed | CorrectionAnswered => open = false,
                _ => {}
            }
            if !open {
                places.push(index + 1);
            }
        }
        let place = *places.get(at.index(places.len())).unwrap();
        let begin = story.events.get(place - 1).unwrap().at.china_date();
        let wanted = begin.checked_add(length.days()).unwrap();
        let end = story.events.get(place).map_or(wanted, |next| wanted.min(next.at.china_date()));
        longer.events.insert(place, on(begin, paused(PauseGround::Quarantine)));
        longer.events.insert(place + 1, on(end, Resumed));

        let before = compute(&story.rule, &story.events, calendar(), story.today).unwrap().due;
        let after = compute(&longer.rule, &longer.events, calendar(), longer.today).unwrap().due;
        let never = date(9999, 12, 31);
        prop_assert!(after.unwrap_or(never) >= before.unwrap_or(never), "{:?} {:?}", before, after);
    }

    #[test]
    fn an_extension_never_brings_a_due_date_nearer(story in story(), days in 0_u32..30) {
        let mut longer = story.clone();
        longer.events.push(on(story.events.last().unwrap().at.china_date(), extended(days)));
        let before = compute(&story.rule, &story.events, calendar(), story.today).unwrap().due;
        let after = compute(&longer.rule, &longer.events, calendar(), longer.today).unwrap().due;
        // An open pause may keep the longer limit from being used up, so that it is due on no known day.
        let never = date(9999, 12, 31);
        prop_assert!(after.unwrap_or(never) >= before.unwrap_or(never), "{:?} {:?}", before, after);
    }

    #[test]
    fn the_counted_days_of_a_derivation_are_the_limit(story in story()) {
        let state = compute(&story.rule, &story.events, calendar(), story.today).unwrap();
        let mut counted = 0;
        let mut limit = story.rule.limit.days;
        for step in &state.derivation {
            match step {
                Step::Counted { days, from, to, skipped } => {
                    counted += days;
                    prop_assert_eq!(i64::from(days + skipped), to.duration_since(*from).as_hours() / 24 + 1);
                }
                Step::Extended { days, .. } => limit += days,
                _ => {}
            }
        }
        prop_assert!(counted <= limit);
        prop_assert!(counted == limit || state.due.is_none());
        prop_assert_eq!(limit, clerk(&story).1);
    }
}
