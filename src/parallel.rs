//! Work shared by several threads, with results that do not depend on their number.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Stack of a thread, in bytes, whatever the environment says: work here calls no deeper for larger data.
const STACK: usize = 2 << 20;

fn spawnable() -> thread::Builder {
    thread::Builder::new().stack_size(STACK)
}

/// Applies `work` to all `items` at once, each in a thread of its own, and returns the results in the order of the items.
/// The calling thread does the first one, and those for which the system refuses a thread.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let Some((first, others)) = items.split_first() else {
        return Vec::new();
    };
    thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = others
            .iter()
            .map(|item| (item, spawnable().spawn_scoped(scope, move || work(item))))
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

/// Applies `work` to all `items` with at most `threads` threads, handing each over, and returns the results in the order of the items.
pub(crate) fn map_into<T: Send, R: Send>(items: Vec<T>, threads: NonZeroUsize, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let items: Vec<Mutex<Option<T>>> = items.into_iter().map(|item| Mutex::new(Some(item))).collect();
    let take = |item: &Mutex<Option<T>>| item.lock().unwrap_or_else(PoisonError::into_inner).take();
    let (results, ()) = map_beside(&items, threads, |item| take(item).map(&work), || ());
    results.into_iter().flatten().collect()
}

/// Applies `work` to all `items` with at most `threads` threads, each of which takes the next item as soon as it is free, and
/// does `beside` on the calling thread before that joins in. Returns the results in the order of the items.
pub(crate) fn map_beside<T: Sync, R: Send, B>(
    items: &[T],
    threads: NonZeroUsize,
    work: impl Fn(&T) -> R + Sync,
    beside: impl FnOnce() -> B,
) -> (Vec<R>, B) {
    let next = AtomicUsize::new(0);
    let work_off = || {
        let mut done = Vec::new();
        while let index = next.fetch_add(1, Relaxed)
            && let Some(item) = items.get(index)
        {
            done.push((index, work(item)));
        }
        done
    };
    let helpers = threads.get().min(items.len() + 1) - 1;
    let (mut done, beside) = thread::scope(|scope| {
        // If the system refuses a thread, the others do its work.
        let spawn = |_| spawnable().spawn_scoped(scope, work_off).ok();
        let helpers: Vec<_> = (0..helpers).filter_map(spawn).collect();
        let beside = beside();
        let mut done = work_off();
        for helper in helpers {
            done.extend(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        (done, beside)
    });
    done.sort_unstable_by_key(|&(index, _)| index);
    (done.into_iter().map(|(_, result)| result).collect(), beside)
}

/// Applies `work` to all `items` with at most `threads` threads, each of which takes the next item as soon as it is free, and
/// hands the results to `sink` in the order of the items, each as soon as those before it are there.
///
/// # Errors
///
/// The first that `sink` returns; after it, no further items are begun.
pub fn in_order<T: Sync, R: Send, E: Send>(
    items: &[T],
    threads: NonZeroUsize,
    work: impl Fn(&T) -> R + Sync,
    sink: impl FnMut(R) -> Result<(), E> + Send,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    // What waits for results before it, how many have been handed over, and how that ended.
    let state = Mutex::new((BTreeMap::new(), 0, sink, Ok(())));
    let workers = vec![(); threads.get().min(items.len())];
    map(&workers, |()| {
        while let index = next.fetch_add(1, Relaxed)
            && let Some(item) = items.get(index)
        {
            let result = work(item);
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let (waiting, handed_over, sink, ended) = &mut *state;
            waiting.insert(index, result);
            // Whoever was still at work when it ended hands nothing over.
            while ended.is_ok()
                && let Some(result) = waiting.remove(handed_over)
            {
                *handed_over += 1;
                *ended = sink(result);
            }
            if ended.is_err() {
                return;
            }
        }
    });
    state.into_inner().unwrap_or_else(PoisonError::into_inner).3
}

/// Sorts `items` with at most `threads` threads.
pub(crate) fn sort<T: Ord + Send>(items: &mut [T], threads: NonZeroUsize) {
    let size = items.len().div_ceil(threads.get()).max(1 << 12);
    map_into(items.chunks_mut(size).collect(), threads, |piece: &mut [T]| {
        piece.sort_unstable()
    });
    // What is sorted in pieces is merged.
    if items.len() > size {
        items.sort();
    }
}

/// Does both, at once if there are threads for that.
pub(crate) fn both<A, B: Send>(threads: NonZeroUsize, a: impl FnOnce() -> A, b: impl Fn() -> B + Sync) -> (A, B) {
    let (mut b, a) = map_beside(&[()], threads, |()| b(), a);
    match b.pop() {
        Some(b) => (a, b),
        None => unreachable!("each item has a result"),
    }
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
                let beside = map_beside(&items, threads.try_into().unwrap(), |x| x * x, || "done");
                assert_eq!(beside, (squares.clone(), "done"));
                let mut handed = Vec::new();
                let sink = |square| {
                    handed.push(square);
                    if handed.len() == 600 { Err("enough") } else { Ok(()) }
                };
                let ended = in_order(&items, threads.try_into().unwrap(), |x| x * x, sink);
                assert_eq!(ended, if count < 600 { Ok(()) } else { Err("enough") });
                assert_eq!(handed, squares[..items.len().min(600)]);
            }
        }
    }

    #[test]
    fn what_is_still_worked_on_when_the_sink_fails_is_not_handed_over() {
        use std::sync::atomic::AtomicBool;
        let failed = AtomicBool::new(false);
        let work = |&item: &u32| {
            // The first is handed over, and fails, while the second is at work.
            while item == 1 && !failed.load(Relaxed) {
                thread::yield_now();
            }
            item
        };
        let mut handed = Vec::new();
        let sink = |item| {
            handed.push(item);
            failed.store(true, Relaxed);
            if item == 0 { Err("enough") } else { Ok(()) }
        };
        assert_eq!(in_order(&[0, 1], 2.try_into().unwrap(), work, sink), Err("enough"));
        assert_eq!(handed, [0]);
    }
}
