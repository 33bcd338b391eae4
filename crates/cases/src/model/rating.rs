//! Ratings in five grades (好差评, 国办发〔2019〕51号; GB/T 39734).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Case, CaseError, CaseEventKind, Stage};

/// One of the five grades: 5 非常满意, 4 满意, 3 基本满意, 2 不满意, 1 非常不满意.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
// INVARIANT: from 1 to 5.
pub struct Grade(u8);

impl Grade {
    /// The grade of that number.
    pub fn new(number: u8) -> Option<Self> {
        (1..=5).contains(&number).then_some(Self(number))
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Whether it counts as a bad rating (差评), which opens a case of its own.
    pub fn is_bad(self) -> bool {
        self.0 <= 2
    }
}

impl Serialize for Grade {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}

impl<'de> Deserialize<'de> for Grade {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(deserializer)?;
        Self::new(number).ok_or_else(|| serde::de::Error::custom("a grade is a number from 1 to 5"))
    }
}

/// A moment that can be rated, once each (一事一评): of the national list 咨询, 申报, 补正, 缴费, 签收 those
/// that a case has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// 申报.
    Submission,
    /// 补正.
    Correction,
    /// 签收: how the whole case went.
    Completion,
}

impl Moment {
    /// Every moment.
    pub const ALL: [Self; 3] = [Self::Submission, Self::Correction, Self::Completion];

    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submission => "submission",
            Self::Correction => "correction",
            Self::Completion => "completion",
        }
    }

    /// The moment of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|moment| moment.as_str() == word)
    }

    /// The number of the national list (第几次服务).
    pub fn service_number(self) -> u8 {
        match self {
            Self::Submission => 2,
            Self::Correction => 3,
            Self::Completion => 5,
        }
    }
}

/// A rating as the case keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rating {
    /// Of what.
    pub moment: Moment,
    /// How good.
    pub grade: Grade,
    /// Whether it is the rating after a complaint was put right.
    pub again: bool,
}

impl Case {
    /// The moments that may be rated now.
    pub fn ratable(&self) -> Vec<Moment> {
        Moment::ALL.into_iter().filter(|moment| self.check_ratable(*moment).is_ok()).collect()
    }

    /// Rates a moment; each moment once.
    pub fn rate(
        &self,
        moment: Moment,
        grade: Grade,
        dimensions: std::collections::BTreeMap<String, Grade>,
        comment: &str,
    ) -> Result<Vec<CaseEventKind>, CaseError> {
        self.check_ratable(moment)?;
        let comment = comment.trim().to_owned();
        Ok(vec![CaseEventKind::Rated { moment, grade, dimensions, comment, again: false }])
    }

    /// Rates a moment once more, after a bad rating was handled (差评整改后追评).
    pub fn rate_again(&self, moment: Moment, grade: Grade) -> Result<Vec<CaseEventKind>, CaseError> {
        let of_moment =
            |again| self.ratings.iter().any(|rating| rating.moment == moment && rating.again == again);
        let was_bad = self
            .ratings
            .iter()
            .any(|rating| rating.moment == moment && !rating.again && rating.grade.is_bad());
        if !was_bad {
            return Err(CaseError::NotRatable { moment });
        }
        if of_moment(true) {
            return Err(CaseError::AlreadyRated { moment });
        }
        let (dimensions, comment) = (std::collections::BTreeMap::new(), String::new());
        Ok(vec![CaseEventKind::Rated { moment, grade, dimensions, comment, again: true }])
    }

    fn check_ratable(&self, moment: Moment) -> Result<(), CaseError> {
        if self.ratings.iter().any(|rating| rating.moment == moment) {
            return Err(CaseError::AlreadyRated { moment });
        }
        let open = match moment {
            // A complaint is not itself rated: it ends with a rating of what it was about.
            _ if self.is_complaint() => false,
            Moment::Submission => self.stage() != Stage::Archived,
            Moment::Correction => {
                self.correction.as_ref().is_some_and(|correction| correction.answered.is_some())
            }
            Moment::Completion => {
                matches!(self.stage(), Stage::Rating | Stage::NotAccepted | Stage::Terminated)
            }
        };
        if open { Ok(()) } else { Err(CaseError::NotRatable { moment }) }
    }
}
