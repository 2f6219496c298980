//! Work shared by several threads, with results that do not depend on their number.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Applies `work` to all `items` at once, each in a thread of its own, and returns the results in the order of the items.
/// The calling thread does the first one, and those for which the system refuses a thread.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let Some((first, others)) = items.split_first() else {
        return Vec::new();
    };
    thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = others
            .iter()
            .map(|item| (item, thread::Builder::new().spawn_scoped(scope, move || work(item))))
            .collect();
        let mut results = vec![work(first)];
        for (item, spawned) in others {
            results.push(match spawned {
                Ok(handle) => handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                Err(_) => work(item),
            });
        }
        results
    })
}

/// Applies `work` to all `items` like [`map`], handing each over.
pub(crate) fn map_into<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let items: Vec<Mutex<Option<T>>> = items.into_iter().map(|item| Mutex::new(Some(item))).collect();
    let results = map(&items, |item| {
        let item = item.lock().unwrap_or_else(PoisonError::into_inner).take();
        item.map(&work)
    });
    results.into_iter().flatten().collect()
}

/// Applies `work` to consecutive pieces of `items`, one per thread, and joins what it returns in the order of the items.
/// `work` must return one result per item, each depending on that item alone.
pub(crate) fn map_pieces<T: Sync, R: Send>(
    items: &[T],
    threads: NonZeroUsize,
    work: impl Fn(&[T]) -> Vec<R> + Sync,
) -> Vec<R> {
    // Below a few hundred items a thread costs more than it saves.
    let count = threads.get().min(items.len() / 256).max(1);
    let pieces: Vec<&[T]> = items.chunks(items.len().div_ceil(count).max(1)).collect();
    map(&pieces, |piece| work(piece)).into_iter().flatten().collect()
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
