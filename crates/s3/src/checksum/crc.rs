//! Reflected CRCs eight bytes at a time, for the polynomials that no dependency covers.

/// A reflected CRC with all ones before and after, of up to 64 bits.
pub(super) struct Tables {
    slices: [[u64; 256]; 8],
    mask: u64,
}

/// CRC-32C (Castagnoli).
pub(super) static CRC32C: Tables = Tables::new(0x82f6_3b78, 32);
/// CRC-64/NVME.
pub(super) static CRC64_NVME: Tables = Tables::new(0x9a6c_9329_ac4b_c9b5, 64);

impl Tables {
    const fn new(polynomial: u64, bits: u32) -> Self {
        let mut slices = [[0; 256]; 8];
        let mut byte = 0;
        while byte < 256 {
            let mut register = byte as u64;
            let mut bit = 0;
            while bit < 8 {
                register = if register & 1 == 1 { (register >> 1) ^ polynomial } else { register >> 1 };
                bit += 1;
            }
            slices[0][byte] = register;
            byte += 1;
        }
        let mut slice = 1;
        while slice < 8 {
            let mut byte = 0;
            while byte < 256 {
                let previous = slices[slice - 1][byte];
                slices[slice][byte] = (previous >> 8) ^ slices[0][(previous & 0xff) as usize];
                byte += 1;
            }
            slice += 1;
        }
        Self { slices, mask: u64::MAX >> (64 - bits) }
    }

    /// Continues the checksum `crc` (0 at first) over `bytes`.
    pub(super) fn update(&self, crc: u64, bytes: &[u8]) -> u64 {
        let mut register = crc ^ self.mask;
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            let mixed = (register ^ u64::from_le_bytes(*word)).to_le_bytes();
            register = 0;
            for (index, byte) in mixed.into_iter().enumerate() {
                register ^= self.slices[7 - index][usize::from(byte)];
            }
        }
        for byte in rest {
            register = (register >> 8) ^ self.slices[0][usize::from(register as u8 ^ byte)];
        }
        register ^ self.mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_values_of_the_catalogue() {
        assert_eq!(CRC32C.update(0, b"123456789"), 0xe306_9283);
        assert_eq!(CRC64_NVME.update(0, b"123456789"), 0xae8b_1486_0a79_9888);
    }

    #[test]
    fn pieces_give_the_same_as_the_whole() {
        let bytes: Vec<u8> = (0..1000_u32).map(|number| (number * 7 % 251) as u8).collect();
        let whole = CRC64_NVME.update(0, &bytes);
        for cut in [0, 1, 7, 8, 9, 500, 999, 1000] {
            assert_eq!(CRC64_NVME.update(CRC64_NVME.update(0, &bytes[..cut]), &bytes[cut..]), whole);
        }
    }
}
