//! The Merkle tree of RFC 6962 (and RFC 9162, section 2.1), over SM3 or SHA-256.
//!
//! A log keeps the hash of each leaf and one [`Frontier`], from which the root after the next append costs at
//! most 64 hashes. Two proofs make the log public property: an *inclusion proof* shows that a leaf is under a
//! root, a *consistency proof* shows that a later root only appended to an earlier one. Leaves and inner nodes
//! are hashed under different prefixes, so that neither can be passed off as the other.
//!
//! Nothing here knows what a leaf means. A log of acts puts salted commitments into its leaves, never personal
//! data, so that erasing the salt erases the meaning while every proof stays valid.

use std::ops::Range;

use thiserror::Error;

use crate::hash::{DIGEST_LEN, Hash};

/// A node of the tree.
pub type Digest = [u8; DIGEST_LEN];

/// The hash of a leaf: `H(0x00 || entry)`.
pub fn leaf_hash(hash: Hash, entry: &[u8]) -> Digest {
    hash.digest_parts(&[&[0], entry])
}

/// The hash of an inner node: `H(0x01 || left || right)`.
pub fn node_hash(hash: Hash, left: &Digest, right: &Digest) -> Digest {
    hash.digest_parts(&[&[1], left, right])
}

/// The root of a tree without leaves: the hash of nothing.
pub fn empty_root(hash: Hash) -> Digest {
    hash.digest(&[])
}

/// The root over these leaf hashes, in one pass and with at most 64 nodes in memory.
pub fn root_of(hash: Hash, leaves: impl IntoIterator<Item = Digest>) -> Digest {
    let mut frontier = Frontier::new(hash);
    for leaf in leaves {
        frontier.append(leaf);
    }
    frontier.root()
}

/// The right edge of a tree: the roots of its complete subtrees, which is all that appending needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontier {
    hash: Hash,
    size: u64,
    /// INVARIANT: one root for each set bit of `size`, the largest subtree first.
    peaks: Vec<Digest>,
}

impl Frontier {
    /// An empty tree.
    pub fn new(hash: Hash) -> Self {
        Self { hash, size: 0, peaks: Vec::new() }
    }

    /// Adds a leaf hash and returns its index.
    pub fn append(&mut self, leaf: Digest) -> u64 {
        let index = self.size;
        let mut node = leaf;
        // Each trailing one of the old size is a complete subtree that the new leaf completes into a larger one.
        for _ in 0..index.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(self.hash, &left, &node);
            }
        }
        self.peaks.push(node);
        self.size += 1;
        index
    }

    /// The root of the tree as it stands.
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => empty_root(self.hash),
            Some(smallest) => peaks.fold(*smallest, |right, left| node_hash(self.hash, left, &right)),
        }
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hash function of the tree.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// One byte for the hash function, the size in eight (big endian), then the peaks.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(9 + self.peaks.len() * DIGEST_LEN);
        bytes.push(match self.hash {
            Hash::Sm3 => 1,
            Hash::Sha256 => 2,
        });
        bytes.extend_from_slice(&self.size.to_be_bytes());
        bytes.extend(self.peaks.iter().flatten());
        bytes
    }

    /// Reads what [`Frontier::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MerkleError> {
        let [id, rest @ ..] = bytes else { return Err(MerkleError::BadFrontier) };
        let hash = match id {
            1 => Hash::Sm3,
            2 => Hash::Sha256,
            _ => return Err(MerkleError::BadFrontier),
        };
        let (size, rest) = rest.split_first_chunk::<8>().ok_or(MerkleError::BadFrontier)?;
        let size = u64::from_be_bytes(*size);
        let (peaks, rest) = rest.as_chunks::<DIGEST_LEN>();
        if !rest.is_empty() || peaks.len() != size.count_ones() as usize {
            return Err(MerkleError::BadFrontier);
        }
        Ok(Self { hash, size, peaks: peaks.to_vec() })
    }
}

/// The nodes that lead from leaf `index` to the root over `leaves`, the lowest first.
pub fn inclusion_proof(hash: Hash, leaves: &[Digest], index: u64) -> Result<Vec<Digest>, MerkleError> {
    let size = leaves.len() as u64;
    if index >= size {
        return Err(MerkleError::NoSuchLeaf { index, size });
    }
    let mut proof = Vec::new();
    let mut range = 0..size;
    // Walk down to the leaf and note the sibling at each fork.
    while range.end - range.start > 1 {
        let fork = range.start + left_size(&range);
        let (left, right) = (range.start..fork, fork..range.end);
        let (inside, sibling) = if index < fork { (left, right) } else { (right, left) };
        proof.push(subtree(hash, leaves, sibling));
        range = inside;
    }
    proof.reverse();
    Ok(proof)
}

/// The nodes that show that the first `old_size` leaves are a prefix of `leaves`.
pub fn consistency_proof(hash: Hash, leaves: &[Digest], old_size: u64) -> Result<Vec<Digest>, MerkleError> {
    let size = leaves.len() as u64;
    if old_size > size {
        return Err(MerkleError::NoSuchSize { old_size, size });
    }
    if old_size == 0 || old_size == size {
        return Ok(Vec::new());
    }
    let mut proof = Vec::new();
    let mut range = 0..size;
    // RFC 9162, section 2.1.4.1: follow the edge of the old tree down to its last complete subtree.
    while range.end != old_size {
        let fork = range.start + left_size(&range);
        let (left, right) = (range.start..fork, fork..range.end);
        let (inside, sibling) = if old_size <= fork { (left, right) } else { (right, left) };
        proof.push(subtree(hash, leaves, sibling));
        range = inside;
    }
    // The verifier knows the old root, so it needs that subtree only if the old tree has more to the left.
    if range.start != 0 {
        proof.push(subtree(hash, leaves, range));
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that `leaf` is the leaf `index` of the tree with this size and root (RFC 9162, section 2.1.3.2).
pub fn verify_inclusion(
    hash: Hash,
    leaf: &Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), MerkleError> {
    if index >= size {
        return Err(MerkleError::NoSuchLeaf { index, size });
    }
    let (mut position, mut last) = (index, size - 1);
    let mut node = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(MerkleError::NotIncluded);
        }
        if position & 1 == 1 || position == last {
            node = node_hash(hash, sibling, &node);
            // A left sibling of the right edge may stand several levels higher.
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(hash, &node, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    if last == 0 && node == *root { Ok(()) } else { Err(MerkleError::NotIncluded) }
}

/// Checks that the tree of `size` leaves only appended to the tree of `old_size` (RFC 9162, section 2.1.4.2).
pub fn verify_consistency(
    hash: Hash,
    old_size: u64,
    old_root: &Digest,
    size: u64,
    root: &Digest,
    proof: &[Digest],
) -> Result<(), MerkleError> {
    if old_size > size {
        return Err(MerkleError::NoSuchSize { old_size, size });
    }
    if old_size == 0 || old_size == size {
        let expected = if old_size == 0 { empty_root(hash) } else { *root };
        let fits = proof.is_empty() && *old_root == expected && (size != 0 || *root == expected);
        return if fits { Ok(()) } else { Err(MerkleError::Inconsistent) };
    }
    let mut nodes = proof.iter();
    // The old root is itself the first node where the old tree is one complete subtree.
    let first = if old_size.is_power_of_two() { Some(old_root) } else { nodes.next() };
    let first = first.ok_or(MerkleError::Inconsistent)?;
    let shift = (old_size - 1).trailing_ones();
    let (mut position, mut last) = ((old_size - 1) >> shift, (size - 1) >> shift);
    let (mut old_node, mut node) = (*first, *first);
    for sibling in nodes {
        if last == 0 {
            return Err(MerkleError::Inconsistent);
        }
        if position & 1 == 1 || position == last {
            old_node = node_hash(hash, sibling, &old_node);
            node = node_hash(hash, sibling, &node);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(hash, &node, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    if last == 0 && old_node == *old_root && node == *root { Ok(()) } else { Err(MerkleError::Inconsistent) }
}

/// Why a proof or a stored frontier is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum MerkleError {
    /// The tree has no such leaf.
    #[error("leaf `{index}` is not in a tree of {size} leaves")]
    NoSuchLeaf {
        /// The leaf asked for.
        index: u64,
        /// The number of leaves.
        size: u64,
    },
    /// The tree was never of that size.
    #[error("a tree of {size} leaves has no earlier state of `{old_size}`")]
    NoSuchSize {
        /// The size asked for.
        old_size: u64,
        /// The number of leaves.
        size: u64,
    },
    /// The proof does not lead from the leaf to the root.
    #[error("the proof does not lead from the leaf to the root")]
    NotIncluded,
    /// The later tree is not the earlier one with leaves appended.
    #[error("the later tree is not the earlier one with leaves appended")]
    Inconsistent,
    /// The bytes are not a frontier.
    #[error("not a stored frontier")]
    BadFrontier,
}

/// The leaves under the left child: the largest power of two below the number of leaves.
fn left_size(range: &Range<u64>) -> u64 {
    let size = range.end - range.start;
    1 << (u64::BITS - 1 - (size - 1).leading_zeros())
}

fn subtree(hash: Hash, leaves: &[Digest], range: Range<u64>) -> Digest {
    let count = (range.end - range.start) as usize;
    root_of(hash, leaves.iter().skip(range.start as usize).take(count).copied())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HASHES: [Hash; 2] = [Hash::Sm3, Hash::Sha256];

    /// The leaves that the Certificate Transparency test suites share.
    fn ct_leaves() -> Vec<Digest> {
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
            .map(|entry| leaf_hash(Hash::Sha256, &hex::decode(entry).unwrap()))
            .to_vec()
    }

    fn leaves(hash: Hash, count: u64) -> Vec<Digest> {
        (0..count).map(|index| leaf_hash(hash, &index.to_be_bytes())).collect()
    }

    /// RFC 6962, section 2.1, word for word.
    fn defined_root(hash: Hash, leaves: &[Digest]) -> Digest {
        match leaves {
            [] => empty_root(hash),
            [leaf] => *leaf,
            _ => {
                let fork = leaves.len().next_power_of_two() / 2;
                let (left, right) = leaves.split_at(fork);
                node_hash(hash, &defined_root(hash, left), &defined_root(hash, right))
            }
        }
    }

    #[test]
    fn the_roots_are_those_of_the_certificate_transparency_examples() {
        let expected = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (size, expected) in expected.into_iter().enumerate() {
            assert_eq!(hex::encode(root_of(Hash::Sha256, ct_leaves().into_iter().take(size))), expected);
        }
    }

    #[test]
    fn the_proofs_are_those_of_the_certificate_transparency_examples() {
        let hex = |proof: Vec<Digest>| proof.iter().map(hex::encode).collect::<Vec<_>>();
        let leaves = ct_leaves();
        let left_edge = [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ];
        assert_eq!(hex(inclusion_proof(Hash::Sha256, &leaves, 0).unwrap()), left_edge);
        assert_eq!(hex(consistency_proof(Hash::Sha256, &leaves, 1).unwrap()), left_edge);
        assert_eq!(
            hex(consistency_proof(Hash::Sha256, &leaves, 6).unwrap()),
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        );
        assert_eq!(
            hex(consistency_proof(Hash::Sha256, &leaves[..5], 2).unwrap()),
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ]
        );
    }

    #[test]
    fn every_tree_up_to_64_leaves_has_the_defined_root_and_survives_storage() {
        for hash in HASHES {
            let all = leaves(hash, 64);
            let mut frontier = Frontier::new(hash);
            for size in 0..=all.len() {
                assert_eq!(frontier.size(), size as u64);
                assert_eq!(frontier.root(), defined_root(hash, &all[..size]));
                frontier = Frontier::from_bytes(&frontier.to_bytes()).unwrap();
                if let Some(leaf) = all.get(size) {
                    assert_eq!(frontier.append(*leaf), size as u64);
                }
            }
        }
    }

    #[test]
    fn every_leaf_of_every_tree_up_to_64_proves_its_place_and_no_other() {
        for hash in HASHES {
            let all = leaves(hash, 64);
            for size in 1..=64u64 {
                let tree = &all[..size as usize];
                let root = root_of(hash, tree.iter().copied());
                for index in 0..size {
                    let proof = inclusion_proof(hash, tree, index).unwrap();
                    let leaf = &tree[index as usize];
                    verify_inclusion(hash, leaf, index, size, &proof, &root).unwrap();
                    let elsewhere = (index + 1) % size;
                    if elsewhere != index {
                        assert!(verify_inclusion(hash, leaf, elsewhere, size, &proof, &root).is_err());
                    }
                    assert!(verify_inclusion(hash, leaf, size, size, &proof, &root).is_err());
                }
            }
        }
    }

    #[test]
    fn every_pair_of_sizes_up_to_64_is_consistent_and_no_proof_serves_two_pairs() {
        for hash in HASHES {
            let all = leaves(hash, 64);
            let roots: Vec<Digest> =
                (0..=64).map(|size| root_of(hash, all[..size].iter().copied())).collect();
            for size in 0..=64u64 {
                for old_size in 0..=size {
                    let (old_root, root) = (&roots[old_size as usize], &roots[size as usize]);
                    let proof = consistency_proof(hash, &all[..size as usize], old_size).unwrap();
                    verify_consistency(hash, old_size, old_root, size, root, &proof).unwrap();
                    if old_size > 0 && old_size < size {
                        let wrong = &roots[old_size as usize - 1];
                        assert!(verify_consistency(hash, old_size, wrong, size, root, &proof).is_err());
                        assert!(verify_consistency(hash, old_size - 1, wrong, size, root, &proof).is_err());
                        assert!(verify_consistency(hash, old_size, old_root, size, wrong, &proof).is_err());
                    }
                }
            }
        }
    }

    #[test]
    fn what_the_tree_does_not_have_is_named() {
        let leaves = ct_leaves();
        assert_eq!(
            inclusion_proof(Hash::Sha256, &leaves, 8),
            Err(MerkleError::NoSuchLeaf { index: 8, size: 8 })
        );
        assert_eq!(
            consistency_proof(Hash::Sha256, &leaves, 9),
            Err(MerkleError::NoSuchSize { old_size: 9, size: 8 })
        );
        assert_eq!(
            verify_consistency(Hash::Sha256, 2, &leaves[0], 1, &leaves[0], &[]),
            Err(MerkleError::NoSuchSize { old_size: 2, size: 1 })
        );
        assert_eq!(
            verify_inclusion(Hash::Sha256, &leaves[0], 0, 0, &[], &empty_root(Hash::Sha256)),
            Err(MerkleError::NoSuchLeaf { index: 0, size: 0 })
        );
    }

    #[test]
    fn a_leaf_cannot_be_passed_off_as_a_node() {
        let leaves = ct_leaves();
        let node = node_hash(Hash::Sha256, &leaves[0], &leaves[1]);
        let as_entry = [leaves[0], leaves[1]].concat();
        assert_ne!(leaf_hash(Hash::Sha256, &as_entry), node);
    }

    #[test]
    fn a_node_cannot_be_passed_off_as_a_leaf_by_a_proof_that_stops_early() {
        let leaves = ct_leaves();
        let root = root_of(Hash::Sha256, leaves.iter().copied());
        let proof = inclusion_proof(Hash::Sha256, &leaves, 0).unwrap();
        assert_eq!(verify_inclusion(Hash::Sha256, &root, 0, 8, &[], &root), Err(MerkleError::NotIncluded));
        let left = node_hash(Hash::Sha256, &leaves[0], &leaves[1]);
        let refused = verify_inclusion(Hash::Sha256, &left, 0, 8, &proof[1..], &root);
        assert_eq!(refused, Err(MerkleError::NotIncluded));
    }

    #[test]
    fn bytes_that_are_no_frontier_are_refused() {
        let mut frontier = Frontier::new(Hash::Sm3);
        for leaf in leaves(Hash::Sm3, 7) {
            frontier.append(leaf);
        }
        let bytes = frontier.to_bytes();
        for length in 0..bytes.len() {
            assert_eq!(Frontier::from_bytes(&bytes[..length]), Err(MerkleError::BadFrontier));
        }
        let mut other = bytes.clone();
        other[0] = 3;
        assert_eq!(Frontier::from_bytes(&other), Err(MerkleError::BadFrontier));
        other[0] = 1;
        other[8] = 6;
        assert_eq!(Frontier::from_bytes(&other), Err(MerkleError::BadFrontier));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn a_proof_with_any_bit_changed_or_any_node_lost_or_added_is_refused(
            size in 2u64..200,
            index in 0u64..200,
            node in 0usize..8,
            bit in 0usize..256,
        ) {
            let index = index % size;
            let all = leaves(Hash::Sm3, size);
            let root = root_of(Hash::Sm3, all.iter().copied());
            let leaf = &all[index as usize];
            let proof = inclusion_proof(Hash::Sm3, &all, index).unwrap();
            let node = node % proof.len();

            let mut flipped = proof.clone();
            flipped[node][bit / 8] ^= 1 << (bit % 8);
            prop_assert!(verify_inclusion(Hash::Sm3, leaf, index, size, &flipped, &root).is_err());

            let mut shorter = proof.clone();
            shorter.remove(node);
            prop_assert!(verify_inclusion(Hash::Sm3, leaf, index, size, &shorter, &root).is_err());

            let mut longer = proof.clone();
            longer.insert(node, *leaf);
            prop_assert!(verify_inclusion(Hash::Sm3, leaf, index, size, &longer, &root).is_err());
        }

        #[test]
        fn a_history_that_was_rewritten_is_never_consistent(
            size in 2u64..200,
            old_size in 1u64..200,
            changed in 0u64..200,
        ) {
            let old_size = 1 + old_size % (size - 1);
            let changed = changed % old_size;
            let honest = leaves(Hash::Sm3, size);
            let old_root = root_of(Hash::Sm3, honest.iter().copied().take(old_size as usize));
            // The rewriter swaps one old leaf, then offers the best proof there is for the new tree.
            let mut rewritten = honest.clone();
            rewritten[changed as usize][0] ^= 1;
            let root = root_of(Hash::Sm3, rewritten.iter().copied());
            for tree in [&honest, &rewritten] {
                let proof = consistency_proof(Hash::Sm3, tree, old_size).unwrap();
                prop_assert!(verify_consistency(Hash::Sm3, old_size, &old_root, size, &root, &proof).is_err());
            }
        }
    }
}
