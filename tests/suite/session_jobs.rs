//! Jobs: results land on the owner, cancel and panic change nothing, the latest wins; and a disk that is full for a while.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use maquette::session::jobs::{JobEnd, JobError, Jobs, Landing, Lane};

/// A job that waits until it is told to go on, then adds a word to its owner's list.
fn gated(
    gate: &Arc<Mutex<()>>,
    word: &'static str,
) -> impl FnOnce(&maquette::task::Progress) -> Result<Landing<Vec<&'static str>>, JobError> + Send + use<> {
    let gate = Arc::clone(gate);
    move |progress| {
        drop(gate.lock().expect("not poisoned"));
        progress.check()?;
        let landing: Landing<Vec<&'static str>> = Box::new(move |list: &mut Vec<&'static str>| list.push(word));
        Ok(landing)
    }
}

/// Waits for all jobs; gives how they ended, by title.
fn finish(jobs: &mut Jobs<Vec<&'static str>>, owner: &mut Vec<&'static str>) -> Vec<(String, JobEnd)> {
    let mut ends = Vec::new();
    while let Some(finished) = jobs.wait_next() {
        if let Some(landing) = finished.landing {
            landing(owner);
        }
        ends.push((finished.title, finished.end));
    }
    ends
}

#[test]
fn the_latest_of_a_key_wins_and_other_keys_are_left_alone() {
    let (mut jobs, mut owner) = (Jobs::start().expect("threads"), Vec::new());
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock().expect("not poisoned");
    let key = || Some("preview".to_owned());
    for word in ["first", "second", "third"] {
        jobs.submit(Lane::Derive, key(), word, gated(&gate, word)).expect("queued");
    }
    jobs.submit(Lane::Derive, Some("other".to_owned()), "other", gated(&gate, "other")).expect("queued");
    assert_eq!(jobs.running().map(|job| job.title.as_str()).collect::<Vec<_>>(), ["third", "other"]);
    drop(closed);
    let ends = finish(&mut jobs, &mut owner);
    assert_eq!(owner, ["third", "other"]);
    assert_eq!(ends.iter().filter(|(_, end)| *end == JobEnd::Cancelled).count(), 2);
}

#[test]
fn a_cancel_that_comes_after_the_work_still_drops_the_result() {
    let (mut jobs, mut owner) = (Jobs::start().expect("threads"), Vec::new());
    let woken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&woken);
    jobs.set_waker(Arc::new(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    }));
    let job = jobs.submit(Lane::Edit, None, "edit", gated(&Arc::default(), "edit")).expect("queued");
    while woken.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    jobs.cancel(job);
    assert_eq!(finish(&mut jobs, &mut owner), [("edit".to_owned(), JobEnd::Cancelled)]);
    assert!(owner.is_empty());
}

#[test]
fn a_panicking_job_is_a_sentence_and_the_lane_goes_on() {
    let (mut jobs, mut owner) = (Jobs::start().expect("threads"), Vec::new());
    jobs.submit(Lane::Edit, None, "bad", |_| panic!("index 7")).expect("queued");
    jobs.submit(Lane::Edit, None, "good", gated(&Arc::default(), "good")).expect("queued");
    let ends = finish(&mut jobs, &mut owner);
    assert!(
        matches!(&ends[0].1, JobEnd::Failed(why) if why.contains("index 7") && why.contains("nothing was changed"))
    );
    assert_eq!((&ends[1].1, owner), (&JobEnd::Landed, vec!["good"]));
}

#[test]
fn a_lane_that_is_full_refuses_instead_of_blocking() {
    let (mut jobs, mut owner) = (Jobs::start().expect("threads"), Vec::new());
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock().expect("not poisoned");
    let mut queued = 0;
    while jobs.submit(Lane::Background, None, "load", gated(&gate, "load")).is_ok() {
        queued += 1;
        assert!(queued < 1000, "a lane is bounded");
    }
    drop(closed);
    assert_eq!(finish(&mut jobs, &mut owner).len(), queued);
    assert_eq!(owner.len(), queued, "what was accepted was done");
}
