//! What can go wrong in the lake.

use datafusion::error::DataFusionError;
use deltalake::DeltaTableError;
use kernel::error::Coded;
use store::StoreError;

/// An error of the lake. What an asker is told is its [`Coded::code`] alone: the text may speak of rows that they
/// must not see, and is for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LakeError {
    /// A name or definition that no table can have.
    #[error("`{name}` {reason}")]
    Schema {
        /// What was named.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such table.
    #[error("there is no table `{0}`")]
    NoTable(String),
    /// A policy that does not fit its table.
    #[error("the policy does not fit the table: {0}")]
    Policy(String),
    /// Data that do not have the columns of their table.
    #[error("the data do not fit the table: {0}")]
    Data(String),
    /// A statement that no door runs.
    #[error("{0}")]
    Refused(Refusal),
    /// The asker's SQL cannot be understood or names what is not there.
    #[error("the statement cannot be planned")]
    Plan(#[source] Box<DataFusionError>),
    /// A masked column that is looked up by its true value is used otherwise.
    #[error("`{0}` is masked: it may be compared with constants alone, joined to nothing else by OR")]
    Matched(String),
    /// It is not a question for aggregates, where only such are answered.
    #[error("only counts, sums and averages of one table are answered here: {0}")]
    NotAggregate(String),
    /// The value of a parameter is missing or does not fit; which one, from 1.
    #[error("the value of parameter {0} is missing or does not fit")]
    Parameter(usize),
    /// It failed while it ran.
    #[error("the statement failed while it ran")]
    Run(#[source] Box<DataFusionError>),
    /// A limit was reached.
    #[error("a limit was reached: {0}")]
    Limit(Limit),
    /// The Delta table could not be read or written.
    #[error("the Delta table could not be read or written")]
    Delta(#[source] Box<DeltaTableError>),
    /// The ledger could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Arrow refused what this crate made.
    #[error("the data could not be converted")]
    Arrow(#[source] Box<datafusion::arrow::error::ArrowError>),
    /// Too much of the table waits to be compacted: to be sent again in a while.
    #[error("too much waits to be written into the table")]
    Full,
    /// A file, the log or an inbox is not what it was.
    #[error(transparent)]
    Damaged(crate::checking::Damage),
    /// The stream that is the inbox could not be read or written.
    #[error("the stream could not be read or written")]
    Stream(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The files of the lake cannot be reached.
    #[error("the lake's files cannot be reached: {0}")]
    Files(String),
    /// The machines that run queries cannot be reached or take none.
    #[error("the cluster cannot be reached: {0}")]
    Cluster(String),
}

/// Why a statement is not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It defines or changes something.
    #[error("only queries are run")]
    NotAQuery,
    /// It asks how a query is run.
    #[error("plans are not shown")]
    Explain,
    /// More than one statement.
    #[error("one statement at a time")]
    Several,
    /// A function that no asker may call.
    #[error("a function may not be called")]
    Function,
    /// What was answered before and this together could tell of too few.
    #[error("with what was answered before it could tell of too few")]
    TooClose,
    /// More was answered than can be held against a new question.
    #[error("too much was answered before for one more question")]
    HistoryFull,
    /// One of those that are counted makes up nearly all of a sum.
    #[error("few make up most of a sum")]
    Dominated,
    /// It is longer or deeper than is read.
    #[error("the statement is too long")]
    TooLong,
}

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// It ran too long.
    #[error("time")]
    Time,
    /// It needs too much memory.
    #[error("memory")]
    Memory,
    /// It answers with too many rows.
    #[error("rows")]
    Rows,
    /// Too many run at once.
    #[error("concurrency")]
    Concurrency,
    /// The asker cancelled it.
    #[error("cancelled")]
    Cancelled,
}

impl LakeError {
    /// What an asker may read beside the code. Only errors of planning have such a text: they speak of the asker's
    /// own statement and of the names that they may see. Whatever happens later may speak of the data.
    pub fn for_asker(&self) -> Option<String> {
        match self {
            Self::Plan(error) => {
                // The engine guesses what was meant, and guesses otherwise the next time.
                let text = error.strip_backtrace();
                Some(text.split("\nDid you mean").next().unwrap_or_default().to_owned())
            }
            Self::Matched(_) | Self::Refused(_) | Self::NotAggregate(_) | Self::Parameter(_) => {
                Some(self.to_string())
            }
            _ => None,
        }
    }
}

impl Coded for LakeError {
    fn code(&self) -> &'static str {
        match self {
            Self::Schema { .. } => "lake.schema",
            Self::NoTable(_) => "lake.no_table",
            Self::Policy(_) => "lake.policy",
            Self::Data(_) => "lake.data",
            Self::Refused(Refusal::NotAQuery) => "lake.not_a_query",
            Self::Refused(Refusal::Explain) => "lake.explain",
            Self::Refused(Refusal::Several) => "lake.several_statements",
            Self::Refused(Refusal::Function) => "lake.function",
            Self::Refused(Refusal::TooLong) => "lake.too_long",
            Self::Refused(Refusal::TooClose) => "lake.too_close",
            Self::Refused(Refusal::HistoryFull) => "lake.history_full",
            Self::Refused(Refusal::Dominated) => "lake.dominated",
            Self::NotAggregate(_) => "lake.not_aggregate",
            Self::Plan(_) => "lake.plan",
            Self::Matched(_) => "lake.matched",
            Self::Parameter(_) => "lake.parameter",
            Self::Run(_) => "lake.run",
            Self::Limit(Limit::Time) => "lake.limit_time",
            Self::Limit(Limit::Memory) => "lake.limit_memory",
            Self::Limit(Limit::Rows) => "lake.limit_rows",
            Self::Limit(Limit::Concurrency) => "lake.limit_concurrency",
            Self::Limit(Limit::Cancelled) => "lake.cancelled",
            Self::Full => "lake.full",
            Self::Damaged(_) => "lake.damaged",
            Self::Delta(_)
            | Self::Store(_)
            | Self::Arrow(_)
            | Self::Stream(_)
            | Self::Files(_)
            | Self::Cluster(_) => "lake.unavailable",
        }
    }
}

impl From<DeltaTableError> for LakeError {
    fn from(error: DeltaTableError) -> Self {
        Self::Delta(Box::new(error))
    }
}

impl From<datafusion::arrow::error::ArrowError> for LakeError {
    fn from(error: datafusion::arrow::error::ArrowError) -> Self {
        Self::Arrow(Box::new(error))
    }
}
