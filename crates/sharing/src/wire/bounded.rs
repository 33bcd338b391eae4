//! A stream of messages none of which is longer than allowed.
//!
//! The library reads a message whole before it looks at it, and allows a gigabyte for each, also from somebody who
//! has not signed in. Here the length that a message announces is looked at as its bytes go by.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The longest message before somebody has signed in.
pub(super) const BEFORE_SIGN_IN: usize = 10_000;

/// Passes bytes on both ways, and ends where a message is too long.
pub(super) struct Bounded<S> {
    inner: S,
    limit: usize,
    state: State,
}

/// Where in a message the next byte is.
enum State {
    /// In the letter and the four bytes of length, or in these alone for the first message; so many are there.
    Header { bytes: [u8; 5], filled: usize },
    /// So many bytes of the body are still to come.
    Body(usize),
}

impl<S> Bounded<S> {
    /// `inner`, of which `read` was read already, from the first message on.
    pub(super) fn new(inner: S, read: &[u8]) -> io::Result<Self> {
        let state = State::Header { bytes: [0; 5], filled: 1 };
        let mut bounded = Self { inner, limit: BEFORE_SIGN_IN, state };
        bounded.pass(read)?;
        Ok(bounded)
    }

    /// Allows messages of this length from now on.
    pub(super) fn allow(&mut self, limit: usize) {
        self.limit = limit;
    }

    fn pass(&mut self, mut read: &[u8]) -> io::Result<()> {
        while !read.is_empty() {
            match &mut self.state {
                State::Body(left) => {
                    let taken = read.len().min(*left);
                    *left -= taken;
                    read = read.get(taken..).unwrap_or_default();
                    if *left == 0 {
                        self.state = State::Header { bytes: [0; 5], filled: 0 };
                    }
                }
                State::Header { bytes, filled } => {
                    if let (Some(slot), Some((byte, rest))) = (bytes.get_mut(*filled), read.split_first()) {
                        *slot = *byte;
                        *filled += 1;
                        read = rest;
                    }
                    if *filled == bytes.len() {
                        let [_, a, b, c, d] = *bytes;
                        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
                        if length > self.limit || length < 4 {
                            return Err(io::Error::new(io::ErrorKind::InvalidData, "a message is too long"));
                        }
                        self.state = match length - 4 {
                            0 => State::Header { bytes: [0; 5], filled: 0 },
                            body => State::Body(body),
                        };
                    }
                }
            }
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.inner).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => Poll::Ready(self.pass(buffer.filled().get(before..).unwrap_or_default())),
            other => other,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(letter: u8, length: usize) -> Vec<u8> {
        let mut message = vec![letter];
        message.extend(u32::try_from(length).unwrap().to_be_bytes());
        message.resize(1 + length, b'x');
        message
    }

    #[test]
    fn messages_pass_however_they_are_cut() {
        let startup = message(0, 60).split_off(1);
        let all = [startup, message(b'Q', 4), message(b'P', 9_000), message(b'S', 4)].concat();
        for step in [1, 3, 7, 1_000, all.len()] {
            let mut bounded = Bounded::new((), &[]).unwrap();
            all.chunks(step).for_each(|part| bounded.pass(part).unwrap());
            assert!(matches!(bounded.state, State::Header { filled: 0, .. }));
        }
    }

    #[test]
    fn a_message_that_announces_too_much_is_refused_at_its_header() {
        let startup = message(0, 60).split_off(1);
        let mut bounded = Bounded::new((), &startup).unwrap();
        assert!(bounded.pass(&message(b'Q', BEFORE_SIGN_IN + 1)[..5]).is_err());
        let mut bounded = Bounded::new((), &startup).unwrap();
        bounded.allow(1 << 20);
        bounded.pass(&message(b'Q', BEFORE_SIGN_IN + 1)).unwrap();
        assert!(bounded.pass(&[b'Q', 0x7f, 0xff, 0xff, 0xff]).is_err());
        assert!(Bounded::new((), &[0x7f, 0xff, 0xff, 0xff]).is_err(), "the first message has no letter");
    }
}
