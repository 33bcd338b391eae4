//! A round: about 1,450 people, their households and firms, closed in itself. Everything that refers to somebody refers
//! to somebody of the same round, so any amount of data is made with the memory of one.

use super::firms::{self, Firm, Size};
use super::people::{Household, People, Person};
use super::{DemoError, Scale};

/// One part of the data.
pub(super) struct Round {
    pub(super) number: u64,
    /// Of how many.
    pub(super) of: u64,
    pub(super) people: People,
    pub(super) firms: Vec<Firm>,
}

impl Round {
    /// The part with this number.
    pub(super) fn make(number: u64, scale: Scale) -> Result<Self, DemoError> {
        let mut people = People::of(number)?;
        let mut firms = firms::of(number, &people)?;
        if number == 0 {
            set_apart(&mut people, &mut firms);
        }
        firms::employ(number, &mut people, &mut firms);
        Ok(Self { number, of: scale.rounds(), people, firms })
    }

    /// People with their households.
    pub(super) fn everybody(&self) -> impl Iterator<Item = (&Person, &Household)> {
        self.people.people.iter().filter_map(|person| Some((person, self.people.home(person)?)))
    }

    /// The head of a household, living.
    pub(super) fn head(&self, household: &Household) -> Option<&Person> {
        let members = self.people.people.get(household.members.clone())?;
        members.iter().find(|person| person.relation == "户主" && person.alive())
    }

    /// A number of this round that no other round uses: `per_round` of them are there.
    pub(super) fn serial(&self, place: usize, per_round: u64) -> u64 {
        self.number * per_round + u64::try_from(place).unwrap_or(0)
    }
}

/// Those whose own number is spoilt on purpose stand in one register only, or whatever refers to them would refer to
/// nobody. Two small children and two small firms are enough.
fn set_apart(people: &mut People, firms: &mut [Firm]) {
    let small =
        people.people.iter_mut().filter(|person| person.age() < 3 && person.alive() && !person.signs_in);
    for person in small.take(1) {
        person.apart = true;
    }
    let small = firms.iter_mut().filter(|firm| firm.size == Size::Micro && firm.active());
    for firm in small.skip(20).take(2) {
        firm.apart = true;
    }
}
