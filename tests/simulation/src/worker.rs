//! Workers that go on only when told, up to the step they are told to stop at.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use certify::{Fate, Ground, Kind, Misfortune};
use fastrand::Rng;
use futures_util::future::LocalBoxFuture;
use guest::Service;
use http::{Request, Response};
use serde_json::Value;

/// Polls of one worker between its start and its end.
const POLL_COUNT_MAX: usize = 1_000_000;

/// One worker: a request, and the work it sets off.
pub struct Worker {
    pub number: usize,
    ground: Ground,
    work: Option<LocalBoxFuture<'static, ()>>,
}

impl Worker {
    /// One that is hired under this number, to answer a request by a service on its ports.
    pub(crate) fn new(
        ground: &Ground,
        number: usize,
        service: Service,
        request: Request<Bytes>,
    ) -> Self {
        let answering = ground.clone();
        let work = Box::pin(async move {
            let respond = async |response| answering.respond(number, response);
            service.handle(request, respond).await;
        });
        Self {
            number,
            ground: ground.clone(),
            work: Some(work),
        }
    }

    /// Says what befalls the step of this kind that touches this, the first `spared` such steps left out.
    pub fn befall(self, kind: Kind, touching: &str, spared: usize, misfortune: Misfortune) -> Self {
        self.ground
            .befall(self.number, kind, touching, spared, misfortune);
        self
    }

    /// Stands still before such a step.
    pub fn stopping_at(self, kind: Kind, touching: &str) -> Self {
        self.befall(kind, touching, 0, Misfortune::Stall)
    }

    /// Goes on to the end, or to where it stands still. True if it stands still.
    pub fn go(&mut self) -> bool {
        if let Fate::Stalled(_) = self.ground.fate(self.number) {
            self.ground.resume(self.number);
        }
        for _ in 0..POLL_COUNT_MAX {
            match self.step() {
                Went::On => {}
                Went::Still => return true,
                Went::Ended => return false,
            }
        }
        panic!("a worker neither works nor ends");
    }

    /// Goes up to its next step.
    pub fn step(&mut self) -> Went {
        let Some(work) = &mut self.work else {
            return Went::Ended;
        };
        let mut context = Context::from_waker(Waker::noop());
        let polled = Pin::new(work).poll(&mut context);
        let fate = self.ground.fate(self.number);
        match (polled, fate) {
            (Poll::Pending, Fate::Running) => Went::On,
            (Poll::Pending, Fate::Stalled(_)) => Went::Still,
            (Poll::Ready(()), _) | (Poll::Pending, Fate::Crashed) => {
                self.work = None;
                Went::Ended
            }
        }
    }

    /// Goes to the end; the answer, if one was given.
    pub fn answered(&mut self) -> Option<Response<Bytes>> {
        assert!(!self.go(), "it stands still");
        self.ground.answer(self.number)
    }

    /// Goes to the end; the answer's body.
    pub fn done(&mut self) -> Value {
        let answer = self.answered().expect("an answer");
        serde_json::from_slice(answer.body()).unwrap_or_default()
    }
}

/// How far a worker went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Went {
    On,
    Still,
    Ended,
}

/// Lets chance choose again and again whose step is next, until all have ended.
pub fn race(mut workers: Vec<&mut Worker>, seed: u64) {
    let mut chance = Rng::with_seed(seed);
    for _ in 0..POLL_COUNT_MAX {
        if workers.is_empty() {
            return;
        }
        let at = chance.usize(0..workers.len());
        if workers[at].step() == Went::Ended {
            workers.swap_remove(at);
        }
    }
    panic!("workers neither work nor end");
}
