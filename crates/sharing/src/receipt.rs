//! The receipt of a use as a file: the record, and the proof that its hash is in the node's audit log.

use crypto::keys::TrustList;
use serde::{Deserialize, Serialize};
use store::StoreError;
use store::proof::{self, Proof, ProofFlaw};
use web::App;

use crate::uses::record::Record;

/// What the file calls itself.
pub const KIND: &str = "yiwang.data-use-receipt";

/// A receipt.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// [`KIND`].
    pub kind: String,
    /// The use.
    pub record: Record,
    /// That it is in the log.
    pub proof: Proof,
}

/// What a check of a receipt found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFlaw {
    /// It is none.
    #[error("this is no receipt of a use")]
    Unreadable,
    /// The record is not the one that the log has.
    #[error("the record is not the one in the log")]
    Changed,
    /// The log's part does not hold.
    #[error(transparent)]
    Proof(#[from] ProofFlaw),
}

/// Makes the receipt of a use that is over.
pub async fn make(app: &App, record: &Record) -> Result<Receipt, StoreError> {
    let object = Record::object(record.use_id, &record.text()?);
    let proof = proof::prove(&app.store.read(), &object)
        .await?
        .ok_or_else(|| StoreError::Sealed(format!("the use {} is not in the audit log", record.use_id)))?;
    Ok(Receipt { kind: KIND.to_owned(), record: record.clone(), proof })
}

/// Whether bytes call themselves a receipt of a use.
pub fn is_receipt(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Head {
        kind: String,
    }
    serde_json::from_slice::<Head>(bytes).is_ok_and(|head| head.kind == KIND)
}

/// Checks a receipt with the trust list of the node that gave it, and nothing else.
pub fn check(bytes: &[u8], trust: &TrustList) -> Result<Receipt, ReceiptFlaw> {
    let receipt: Receipt = serde_json::from_slice(bytes).map_err(|_| ReceiptFlaw::Unreadable)?;
    if receipt.kind != KIND {
        return Err(ReceiptFlaw::Unreadable);
    }
    let text = receipt.record.text().map_err(|_| ReceiptFlaw::Unreadable)?;
    if receipt.proof.object != Record::object(receipt.record.use_id, &text) {
        return Err(ReceiptFlaw::Changed);
    }
    receipt.proof.check(trust)?;
    Ok(receipt)
}
