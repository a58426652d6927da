//! Percent encoding, backwards.

/// `text` with each `%` and two hexadecimal digits replaced by the byte that they stand for. Other `%` stay.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let value = match (byte, tail) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)),
            _ => None,
        };
        decoded.push(value.map_or(*byte, |(high, low)| (high << 4 | low) as u8));
        rest = if value.is_some() { &tail[2..] } else { tail };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_digits_after_the_sign_are_decoded() {
        assert_eq!(decode("a%2f%2Fb%fF"), b"a//b\xff");
        assert_eq!(decode("%%41%4%+1%zz%"), b"%A%4%+1%zz%");
    }
}
