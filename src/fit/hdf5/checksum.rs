//! The checksum of HDF5 metadata: Bob Jenkins' lookup3 (`hashlittle` with initial value 0).

/// lookup3 of `bytes` (section "Checksum" of the format's appendix; Jenkins 2006, `lookup3.c`).
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    let length = bytes.len() as u32; // the algorithm takes the length modulo 2³²
    let start = 0xdead_beef_u32.wrapping_add(length);
    let mut state = [start; 3];
    let mut rest = bytes;
    // The last block, full or not, goes through the final mix instead.
    while rest.len() > 12 {
        let (block, tail) = rest.split_at(12);
        add(&mut state, block);
        mix(&mut state);
        rest = tail;
    }
    if rest.is_empty() {
        return state[2];
    }
    add(&mut state, rest);
    last_mix(&mut state);
    state[2]
}

/// Adds up to twelve bytes, little-endian, missing ones being 0.
fn add(state: &mut [u32; 3], block: &[u8]) {
    for (word, bytes) in state.iter_mut().zip(block.chunks(4)) {
        let mut padded = [0; 4];
        padded[..bytes.len()].copy_from_slice(bytes);
        *word = word.wrapping_add(u32::from_le_bytes(padded));
    }
}

fn mix(state: &mut [u32; 3]) {
    // (which word changes, which is subtracted, which grows) turn through a, b, c.
    for (round, turn) in [4, 6, 8, 16, 19, 4].into_iter().enumerate() {
        let (x, y, z) = (round % 3, (round + 2) % 3, (round + 1) % 3);
        state[x] = state[x].wrapping_sub(state[y]) ^ state[y].rotate_left(turn);
        state[y] = state[y].wrapping_add(state[z]);
    }
}

fn last_mix(state: &mut [u32; 3]) {
    for (round, turn) in [14, 11, 25, 16, 4, 14, 24].into_iter().enumerate() {
        let (x, y) = ((round + 2) % 3, (round + 1) % 3);
        state[x] = (state[x] ^ state[y]).wrapping_sub(state[y].rotate_left(turn));
    }
}

#[cfg(test)]
mod tests {
    use super::checksum;

    #[test]
    fn agrees_with_the_published_values() {
        // lookup3.c, driver5: hashlittle("", 0) and hashlittle of the sentence, initial value 0.
        assert_eq!(checksum(b""), 0xdead_beef);
        assert_eq!(checksum(b"Four score and seven years ago"), 0x1777_0551);
    }
}
