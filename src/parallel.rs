//! Work on slices by several threads, with results that do not depend on their number.

use std::num::NonZeroUsize;
use std::thread;

/// Applies `work` to consecutive pieces of `items`, one per thread, and joins what it returns in the order of the items.
///
/// `work` must return one result per item, each depending on that item alone. If the system refuses a thread, its piece is
/// done by the calling one.
pub(crate) fn map_pieces<T: Sync, R: Send>(
    items: &[T],
    threads: NonZeroUsize,
    work: impl Fn(&[T]) -> Vec<R> + Sync,
) -> Vec<R> {
    // Below a few hundred items a thread costs more than it saves.
    let pieces = threads.get().min(items.len() / 256).max(1);
    let mut pieces = items.chunks(items.len().div_ceil(pieces).max(1));
    let Some(first) = pieces.next() else {
        return Vec::new();
    };
    thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = pieces
            .map(|piece| {
                let spawned = thread::Builder::new().spawn_scoped(scope, move || work(piece));
                (piece, spawned)
            })
            .collect();
        let mut results = work(first);
        for (piece, spawned) in others {
            let joined = match spawned {
                Ok(handle) => handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                Err(_) => work(piece),
            };
            results.extend(joined);
        }
        results
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items_for_any_number_of_threads() {
        for count in [0, 1, 255, 1000, 1023] {
            let items: Vec<u32> = (0..count).collect();
            for threads in [1, 2, 3, 8, 1000] {
                let squares = map_pieces(&items, threads.try_into().unwrap(), |piece| {
                    piece.iter().map(|x| x * x).collect()
                });
                assert_eq!(squares, items.iter().map(|x| x * x).collect::<Vec<_>>());
            }
        }
    }
}
