//! Counts what is distinct, without sorting and without clearing anything in between.

/// A stamp counts only if it is that of the present round, so starting a round takes no time.
#[derive(Debug, Clone)]
pub(crate) struct Stamps {
    round: u32,
    /// By the numbers of the model's weights.
    known: Vec<u32>,
    known_count: usize,
    unknown: HashSet,
}

/// The hashes of one round.
#[derive(Debug, Clone, Default)]
struct HashSet {
    /// A power of two of places, at least twice as many as hashes; each holds a round and a hash.
    places: Vec<(u32, u64)>,
    len: usize,
}

impl Stamps {
    /// For a model with so many weights of actions and n-grams.
    pub(crate) fn new(weights: usize) -> Self {
        Self {
            round: 0,
            known: vec![0; weights],
            known_count: 0,
            unknown: HashSet::default(),
        }
    }

    /// Starts a round.
    pub(crate) fn start(&mut self) {
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            // After 2^32 rounds old stamps would count again.
            self.known.fill(0);
            self.unknown.places.fill((0, 0));
            self.round = 1;
        }
        self.known_count = 0;
        self.unknown.len = 0;
    }

    /// Whether the weight `id` is met for the first time in this round.
    pub(crate) fn known(&mut self, id: usize) -> bool {
        let new = std::mem::replace(&mut self.known[id], self.round) != self.round;
        self.known_count += usize::from(new);
        new
    }

    /// Notes an n-gram that has no weight.
    pub(crate) fn unknown(&mut self, hash: u64) {
        let set = &mut self.unknown;
        if 2 * (set.len + 1) > set.places.len() {
            let old = std::mem::take(&mut set.places);
            set.places = vec![(0, 0); (4 * (set.len + 1)).next_power_of_two().max(256)];
            set.len = 0;
            for (_, hash) in old.into_iter().filter(|place| place.0 == self.round) {
                set.insert(self.round, hash);
            }
        }
        set.insert(self.round, hash);
    }

    /// Distinct n-grams of this round, known and unknown ones.
    pub(crate) fn ngrams(&self) -> (usize, usize) {
        (self.known_count, self.unknown.len)
    }
}

impl HashSet {
    fn insert(&mut self, round: u32, hash: u64) {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        while self.places[at].0 == round {
            if self.places[at].1 == hash {
                return;
            }
            at = (at + 1) & mask;
        }
        self.places[at] = (round, hash);
        self.len += 1;
    }
}
