//! Physical lines of a text file in its encoding, none longer than what is held.

use std::io::{self, BufRead, Read};

use encoding_rs::GB18030;
use serde::{Deserialize, Serialize};

use crate::loading::error::Reason;
use crate::loading::record::MAX_RECORD;

/// How a text file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// UTF-8, with or without a mark at its beginning.
    Utf8,
    /// GB 18030, and GBK and GB 2312 with it.
    Gb18030,
    /// UTF-16, the lower byte first, as spreadsheets write "Unicode text".
    Utf16Le,
    /// UTF-16, the higher byte first.
    Utf16Be,
}

impl Encoding {
    /// As one may write it on a command line.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().replace(['-', '_'], "").as_str() {
            "utf8" => Some(Self::Utf8),
            "gb18030" | "gbk" | "gb2312" => Some(Self::Gb18030),
            "utf16" | "utf16le" => Some(Self::Utf16Le),
            "utf16be" => Some(Self::Utf16Be),
            _ => None,
        }
    }

    /// The name that is shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Gb18030 => "GB18030",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
        }
    }

    /// What the first bytes of a file tell, and whether they leave no doubt.
    pub(crate) fn of(sample: &[u8]) -> (Self, bool) {
        match sample {
            [0xef, 0xbb, 0xbf, ..] => return (Self::Utf8, true),
            [0xff, 0xfe, ..] => return (Self::Utf16Le, true),
            [0xfe, 0xff, ..] => return (Self::Utf16Be, true),
            _ => {}
        }
        // The last character of a sample may be cut.
        let whole = match std::str::from_utf8(sample) {
            Ok(_) => true,
            Err(error) => error.error_len().is_none(),
        };
        if whole {
            return (Self::Utf8, true);
        }
        let lines: Vec<&[u8]> = sample.split(|byte| *byte == b'\n').collect();
        let inner = lines.split_last().map_or(&[][..], |(_, rest)| rest);
        let inner = if inner.is_empty() { &lines[..] } else { inner };
        let count = |fits: fn(&[u8]) -> bool| inner.iter().filter(|line| !fits(line)).count();
        let bad_utf8 = count(|line| std::str::from_utf8(line).is_ok());
        let bad_gb =
            count(|line| GB18030.decode_without_bom_handling_and_without_replacement(line).is_some());
        // A few wrong bytes in a file of UTF-8 are often right as GB 18030 by chance, and seldom all lines are.
        if bad_gb < bad_utf8 && bad_utf8 * 4 > inner.iter().filter(|line| !line.is_ascii()).count() {
            (Self::Gb18030, bad_gb == 0)
        } else {
            (Self::Utf8, false)
        }
    }
}

/// One physical line without its end.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) number: u64,
    pub(crate) text: String,
    /// How it ended: with what one types at its end, or with the file.
    pub(crate) end: &'static str,
    pub(crate) fault: Option<Reason>,
}

/// Reads lines.
pub(crate) struct Lines {
    input: Box<dyn BufRead + Send>,
    encoding: Encoding,
    terminator: u8,
    number: u64,
    bytes: Vec<u8>,
}

impl Lines {
    /// `terminator` is a line feed, or a carriage return in files of old machines.
    pub(crate) fn new(
        mut input: Box<dyn BufRead + Send>,
        encoding: Encoding,
        terminator: u8,
    ) -> io::Result<Self> {
        let input: Box<dyn BufRead + Send> = match encoding {
            Encoding::Utf8 | Encoding::Gb18030 => {
                if encoding == Encoding::Utf8 && input.fill_buf()?.starts_with(&[0xef, 0xbb, 0xbf]) {
                    input.consume(3);
                }
                input
            }
            Encoding::Utf16Le => Box::new(io::BufReader::new(Utf16::new(input, encoding_rs::UTF_16LE))),
            Encoding::Utf16Be => Box::new(io::BufReader::new(Utf16::new(input, encoding_rs::UTF_16BE))),
        };
        Ok(Self { input, encoding, terminator, number: 0, bytes: Vec::new() })
    }

    /// The next line; none at the end of the file.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line>> {
        self.bytes.clear();
        let limit = MAX_RECORD as u64 + 2;
        let read = self.input.by_ref().take(limit).read_until(self.terminator, &mut self.bytes)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        let ended = self.bytes.last() == Some(&self.terminator);
        let too_long = !ended && read as u64 == limit;
        if too_long {
            self.input.skip_until(self.terminator)?;
        }
        let (content, end) = match self.bytes.as_slice() {
            [rest @ .., b'\r', b'\n'] => (rest, "\r\n"),
            [rest @ .., b'\n'] if ended => (rest, "\n"),
            [rest @ .., b'\r'] if ended => (rest, "\r"),
            all => (all, ""),
        };
        let decoded = match self.encoding {
            Encoding::Gb18030 => GB18030.decode_without_bom_handling_and_without_replacement(content),
            _ => std::str::from_utf8(content).ok().map(std::borrow::Cow::Borrowed),
        };
        let (text, fault) = match decoded {
            Some(text) if text.contains('\0') => (text.into_owned(), Some(Reason::Encoding)),
            Some(text) => (text.into_owned(), None),
            None => {
                let shown = match self.encoding {
                    Encoding::Gb18030 => GB18030.decode_without_bom_handling(content).0,
                    _ => String::from_utf8_lossy(content),
                };
                (shown.into_owned(), Some(Reason::Encoding))
            }
        };
        let fault = if too_long { Some(Reason::TooLong) } else { fault };
        Ok(Some(Line { number: self.number, text, end, fault }))
    }
}

/// UTF-16 as UTF-8. What is no character becomes a byte that UTF-8 never has, so that its line is found.
struct Utf16 {
    input: Box<dyn BufRead + Send>,
    decoder: encoding_rs::Decoder,
    out: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Utf16 {
    fn new(input: Box<dyn BufRead + Send>, encoding: &'static encoding_rs::Encoding) -> Self {
        let decoder = encoding.new_decoder_with_bom_removal();
        Self { input, decoder, out: Vec::new(), at: 0, ended: false }
    }

    fn refill(&mut self) -> io::Result<()> {
        use encoding_rs::DecoderResult;
        let chunk = self.input.fill_buf()?;
        let last = chunk.is_empty();
        // Three bytes for each unit of two, and room for what the decoder holds.
        let mut out = vec![0; chunk.len() * 3 / 2 + 32];
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(chunk, &mut out, last);
        out.truncate(written);
        let more = match result {
            DecoderResult::Malformed(..) => {
                out.push(0xff);
                true
            }
            DecoderResult::OutputFull => true,
            DecoderResult::InputEmpty => false,
        };
        self.input.consume(read);
        self.ended = last && !more;
        self.out = out;
        self.at = 0;
        Ok(())
    }
}

impl Read for Utf16 {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.out.len() {
            if self.ended {
                return Ok(0);
            }
            self.refill()?;
        }
        let rest = self.out.get(self.at..).unwrap_or_default();
        let many = rest.len().min(buffer.len());
        for (slot, byte) in buffer.iter_mut().zip(rest) {
            *slot = *byte;
        }
        self.at += many;
        Ok(many)
    }
}
