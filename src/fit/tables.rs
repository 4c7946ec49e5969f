//! Draws as they are kept: `[chain][draw][element]`, with room that grows.

use super::layout::SampleStats;

/// Numbers of every draw of every chain, with room for `room` draws a chain.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table<T> {
    /// Numbers of a draw.
    pub(super) width: usize,
    /// `[chain][room][element]`.
    pub(super) values: Vec<T>,
}

impl<T: Copy + Default> Table<T> {
    /// No room yet for draws of `width` numbers.
    pub(super) fn new(width: usize) -> Self {
        Self {
            width,
            values: Vec::new(),
        }
    }

    /// Makes room for `room` draws of each of `chains` chains where there was room for `old`.
    fn grow(&mut self, chains: usize, old: usize, room: usize) {
        let (from, to) = (old * self.width, room * self.width);
        if self.values.is_empty() {
            // Zeroed by the system: memory that no draw has reached is not taken.
            self.values = vec![T::default(); chains * to];
            return;
        }
        self.values.resize(chains * to, T::default());
        for chain in (1..chains).rev() {
            self.values
                .copy_within(chain * from..(chain + 1) * from, chain * to);
        }
    }

    /// Gives each group the rows of its `cells` draws.
    fn share<'t>(
        &'t mut self,
        cells: usize,
        groups: &mut [GroupTables<'t>],
        give: impl Fn(&mut GroupTables<'t>, Rows<'t, T>),
    ) {
        let width = self.width;
        let mut rest = self.values.as_mut_slice();
        for group in groups {
            let (values, others) = rest.split_at_mut(cells * width);
            rest = others;
            give(group, Rows { width, values });
        }
    }

    /// Keeps of each chain that `keeps` the first `draws` draws at a time `every` draws apart, from `every − 1` on.
    fn pick(
        &mut self,
        room: usize,
        new_room: usize,
        draws: usize,
        every: usize,
        keeps: &dyn Fn(usize) -> bool,
    ) {
        let width = self.width;
        let chains = self.values.len().checked_div(room * width).unwrap_or(0);
        let mut to = 0;
        for chain in (0..chains).filter(|&chain| keeps(chain)) {
            for draw in 0..draws {
                let from = (chain * room + (draw + 1) * every - 1) * width;
                let at = (to * new_room + draw) * width;
                self.values.copy_within(from..from + width, at);
            }
            to += 1;
        }
        self.values.truncate(to * new_room * width);
    }
}

/// The rows of some chains in a table.
#[derive(Debug)]
pub(super) struct Rows<'t, T> {
    pub(super) width: usize,
    /// `[chain][room][element]`.
    pub(super) values: &'t mut [T],
}

impl<T> Rows<'_, T> {
    /// The numbers of `draws` draws, `[draw][element]`, from the `first`th of a chain on.
    pub(super) fn of(&mut self, room: usize, chain: usize, first: usize, draws: usize) -> &mut [T] {
        let at = (chain * room + first) * self.width;
        &mut self.values[at..at + draws * self.width]
    }
}

/// The places of one group's chains in [`Tables`], each `[chain][room][element]`.
#[derive(Debug)]
pub(super) struct GroupTables<'t> {
    pub(super) room: usize,
    pub(super) named: Vec<Rows<'t, f64>>,
    pub(super) pointwise: Vec<Rows<'t, f64>>,
    /// In the order of [`Tables::reals`].
    pub(super) reals: Vec<&'t mut [f64]>,
    pub(super) n_steps: &'t mut [u32],
    pub(super) diverging: &'t mut [bool],
}

/// The draws of a run: named quantities, log likelihoods and the sampler's statistics.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tables {
    chains: usize,
    /// Draws of each chain that there is room for.
    room: usize,
    /// One for each named quantity.
    pub(super) named: Vec<Table<f64>>,
    /// One for each outcome; empty if none is kept.
    pub(super) pointwise: Vec<Table<f64>>,
    /// Energy, log density, acceptance and step size.
    pub(super) reals: [Table<f64>; 4],
    pub(super) n_steps: Table<u32>,
    pub(super) diverging: Table<bool>,
}

impl Tables {
    /// Tables without room for quantities and outcomes of so many elements.
    pub(super) fn new(chains: usize, named: &[usize], pointwise: &[usize]) -> Self {
        let tables = |widths: &[usize]| widths.iter().map(|&width| Table::new(width)).collect();
        Self {
            chains,
            room: 0,
            named: tables(named),
            pointwise: tables(pointwise),
            reals: std::array::from_fn(|_| Table::new(1)),
            n_steps: Table::new(1),
            diverging: Table::new(1),
        }
    }

    /// Draws of each chain that there is room for.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// Makes room for `room` draws of every chain.
    pub(super) fn grow(&mut self, room: usize) {
        if room <= self.room {
            return;
        }
        let (chains, old) = (self.chains, self.room);
        for table in self
            .named
            .iter_mut()
            .chain(&mut self.pointwise)
            .chain(&mut self.reals)
        {
            table.grow(chains, old, room);
        }
        self.n_steps.grow(chains, old, room);
        self.diverging.grow(chains, old, room);
        self.room = room;
    }

    /// The places of each group of `size` chains, in order.
    pub(super) fn groups(&mut self, size: usize) -> Vec<GroupTables<'_>> {
        let (room, cells) = (self.room, size * self.room);
        let mut groups: Vec<GroupTables> = (0..self.chains.checked_div(size).unwrap_or(0))
            .map(|_| GroupTables {
                room,
                named: Vec::with_capacity(self.named.len()),
                pointwise: Vec::with_capacity(self.pointwise.len()),
                reals: Vec::with_capacity(self.reals.len()),
                n_steps: &mut [],
                diverging: &mut [],
            })
            .collect();
        for table in &mut self.named {
            table.share(cells, &mut groups, |group, own| group.named.push(own));
        }
        for table in &mut self.pointwise {
            table.share(cells, &mut groups, |group, own| group.pointwise.push(own));
        }
        for table in &mut self.reals {
            table.share(cells, &mut groups, |group, own| group.reals.push(own.values));
        }
        self.n_steps
            .share(cells, &mut groups, |group, own| group.n_steps = own.values);
        self.diverging
            .share(cells, &mut groups, |group, own| group.diverging = own.values);
        groups
    }

    /// Keeps every `every`th of `draws` draws; the room stays.
    pub(super) fn thin(&mut self, draws: usize, every: usize) {
        self.pick(self.room, draws / every, every, &|_| true);
    }

    /// Keeps `draws` draws of each chain that `keeps`, without further room.
    pub(super) fn shrink(&mut self, draws: usize, keeps: &dyn Fn(usize) -> bool) {
        self.pick(draws, draws, 1, keeps);
        self.chains = (0..self.chains).filter(|&chain| keeps(chain)).count();
        self.room = draws;
    }

    fn pick(&mut self, new_room: usize, draws: usize, every: usize, keeps: &dyn Fn(usize) -> bool) {
        let room = self.room;
        for table in self
            .named
            .iter_mut()
            .chain(&mut self.pointwise)
            .chain(&mut self.reals)
        {
            table.pick(room, new_room, draws, every, keeps);
        }
        self.n_steps.pick(room, new_room, draws, every, keeps);
        self.diverging.pick(room, new_room, draws, every, keeps);
    }

    /// The draws of one element of a quantity, `[chain][draw]`, of `draws` draws in each chain.
    pub(super) fn column(&self, quantity: usize, element: usize, draws: usize) -> Vec<f64> {
        let table = &self.named[quantity];
        let cell =
            |chain: usize, draw: usize| table.values[(chain * self.room + draw) * table.width + element];
        (0..self.chains)
            .flat_map(|chain| (0..draws).map(move |draw| cell(chain, draw)))
            .collect()
    }

    /// The named numbers of `draws` draws of the chains from `first_chain` on, `[chain][draw][element]`.
    pub(super) fn rows(&self, first_chain: usize, chains: usize, draws: usize) -> Vec<f64> {
        let mut rows = Vec::new();
        for chain in first_chain..first_chain + chains {
            for draw in 0..draws {
                for table in &self.named {
                    let at = (chain * self.room + draw) * table.width;
                    rows.extend_from_slice(&table.values[at..at + table.width]);
                }
            }
        }
        rows
    }

    /// The energies of `draws` draws of the chains from `first_chain` on, `[chain][draw]`.
    pub(super) fn energies(&self, first_chain: usize, chains: usize, draws: usize) -> Vec<f64> {
        let [energy, ..] = &self.reals;
        (first_chain..first_chain + chains)
            .flat_map(|chain| &energy.values[chain * self.room..chain * self.room + draws])
            .copied()
            .collect()
    }

    /// The sampler's statistics.
    pub(super) fn take_stats(&mut self) -> SampleStats {
        let [energy, lp, acceptance_rate, step_size] =
            std::mem::replace(&mut self.reals, std::array::from_fn(|_| Table::new(1)));
        SampleStats {
            diverging: std::mem::take(&mut self.diverging.values),
            energy: energy.values,
            lp: lp.values,
            acceptance_rate: acceptance_rate.values,
            step_size: step_size.values,
            n_steps: self.n_steps.values.iter().map(|&n| i64::from(n)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[chain][draw][element]` of draws numbered from `first`; a number tells where it belongs.
    fn part(chains: std::ops::Range<usize>, draws: std::ops::Range<usize>) -> Vec<f64> {
        let mut values = Vec::new();
        for chain in chains {
            for draw in draws.clone() {
                values.extend([0, 1].map(|element| (1000 * chain + 10 * draw + element) as f64));
            }
        }
        values
    }

    #[test]
    fn draws_stay_where_they_belong_while_the_room_grows_and_shrinks() {
        let mut tables = Tables::new(3, &[2], &[]);
        let place = |tables: &mut Tables, first: usize, draws: usize| {
            for (chain, mut group) in tables.groups(1).into_iter().enumerate() {
                let room = group.room;
                let rows = group.named[0].of(room, 0, first, draws);
                rows.copy_from_slice(&part(chain..chain + 1, first..first + draws));
            }
        };
        tables.grow(4);
        place(&mut tables, 0, 4);
        tables.grow(9);
        place(&mut tables, 4, 2);
        let mut table = tables.named.remove(0);
        let mut all = table.clone();
        all.pick(9, 6, 6, 1, &|_| true);
        assert_eq!(all.values, part(0..3, 0..6));
        let mut few = table.clone();
        few.pick(9, 5, 5, 1, &|chain| chain != 1);
        assert_eq!(few.values, [part(0..1, 0..5), part(2..3, 0..5)].concat());
        table.pick(9, 9, 3, 2, &|_| true);
        for chain in 0..3 {
            let expected: Vec<f64> = [1, 3, 5]
                .into_iter()
                .flat_map(|d| part(chain..chain + 1, d..d + 1))
                .collect();
            assert_eq!(table.values[chain * 18..chain * 18 + 6], expected);
        }
    }
}
