//! Administrative divisions (行政区划) in six levels, from the province to the group.
//!
//! Codes are the 12 digits for statistics (统计用区划代码): province 2, city 2, county 2, township 3, village 3; a
//! group or grid cell below the village has three more. The first six are GB/T 2260. The same place has one
//! [`DivisionCode`] however many zeros it is written with.
//!
//! What the table knows that a plain list would get wrong:
//!
//! - rows that are no real level: 市辖区 (1101), 县 (5002), 省直辖县级行政区划 (4290), marked [`Division::pseudo`]
//!   and left out of names;
//! - cities without counties (4419, 4420, 4604), whose townships follow the city directly;
//! - county codes that exist for statistics only and in no law, marked [`Division::statistics_only`];
//! - former codes since 1980 with the months between which GB/T 2260 had them, and their successor where one
//!   is known.

mod code;
mod table;

pub use code::{DivisionCode, DivisionCodeError, Level};
pub use table::{CitizenRegion, Division, Divisions, ImportError};
