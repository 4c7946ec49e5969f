//! A value that a callback hands to one waiting future.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

struct Shared<T> {
    value: Option<T>,
    is_closed: bool,
    waker: Option<Waker>,
}

/// The callback's end; dropped unsent (as when a device is lost), it tells the waiting end so.
pub(super) struct Sender<T>(Arc<Mutex<Shared<T>>>);

/// The waiting end: resolves to the value, or to `None` when the sender is gone.
pub(super) struct Receiver<T>(Arc<Mutex<Shared<T>>>);

/// A connected pair.
pub(super) fn signal<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Mutex::new(Shared {
        value: None,
        is_closed: false,
        waker: None,
    }));
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

/// The state behind the lock; no code panics while it holds the lock, so a poisoned one is whole.
fn lock<T>(shared: &Mutex<Shared<T>>) -> MutexGuard<'_, Shared<T>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Sender<T> {
    /// Hands over `value` and wakes the waiting end.
    pub(super) fn send(self, value: T) {
        lock(&self.0).value = Some(value);
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let waker = {
            let mut shared = lock(&self.0);
            shared.is_closed = true;
            shared.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut shared = lock(&self.0);
        if shared.is_closed {
            return Poll::Ready(shared.value.take());
        }
        shared.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_crosses_threads() {
        let (sender, receiver) = signal();
        let thread = std::thread::spawn(move || sender.send(7));
        assert_eq!(pollster::block_on(receiver), Some(7));
        assert!(thread.join().is_ok());
    }

    #[test]
    fn a_dropped_sender_is_noticed() {
        let (sender, receiver) = signal::<u32>();
        drop(sender);
        assert_eq!(pollster::block_on(receiver), None);
    }
}
