//! Many callers at once: each gets its own answer, and the log is one sequence.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::bounded;
use projections::draft::{Draft, Stream};
use tradefold::log::{Answer, AppendError, Writer, WriterOptions};

use super::support::{Journal, assert_sound, nth};

#[test]
fn sixteen_threads_each_get_the_right_answer() {
    let journal = Journal::new();
    let writer = Arc::new(journal.writer());
    let (bell, rung) = bounded(1);
    writer.subscribe(bell);
    let threads: Vec<_> = (0..16_u32)
        .map(|thread| {
            let writer = Arc::clone(&writer);
            std::thread::spawn(move || {
                let mut answers = Vec::new();
                for round in 0..40 {
                    let numbers: Vec<_> = (0..=round % 5).map(|nth| thread * 10_000 + round * 10 + nth).collect();
                    let drafts = numbers.iter().map(|number| nth(*number)).collect();
                    // Both ways in: by the queue and past it.
                    let receipt =
                        if round % 2 == 0 { writer.append(drafts) } else { writer.submit(drafts).unwrap().wait() };
                    answers.extend(numbers.into_iter().zip(receipt.unwrap().answers));
                }
                answers
            })
        })
        .collect();
    let answers: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert!(rung.try_recv().is_ok());
    let events = journal.events();
    assert_eq!((events.len(), assert_sound(&journal.dir)), (answers.len(), answers.len() as u64));
    for (number, answer) in answers {
        let Answer::Appended { seq } = answer else { panic!("{answer:?}") };
        assert_eq!(Some(events[seq as usize - 1].id), nth(number).id);
    }
}

#[test]
fn one_expected_version_has_one_winner() {
    let journal = Journal::new();
    let writer = Arc::new(journal.writer());
    let threads: Vec<_> = (0..16)
        .map(|thread| {
            let writer = Arc::clone(&writer);
            std::thread::spawn(move || {
                let mut wins = 0;
                for round in 0..20 {
                    let draft = Draft {
                        stream: Stream::Named("system".to_owned()),
                        expected_version: Some(round),
                        id: None,
                        ..nth(thread)
                    };
                    // The others write half a batch before they are refused.
                    let drafts = if thread % 2 == 0 { vec![draft] } else { vec![Draft { id: None, ..nth(9) }, draft] };
                    match writer.append(drafts) {
                        Ok(_) => wins += 1,
                        Err(AppendError::VersionMismatch { .. }) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
                wins
            })
        })
        .collect();
    let wins: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(journal.reader().stream_version("system").unwrap(), wins);
    assert!(wins <= 20);
    assert_sound(&journal.dir);
}

#[test]
fn a_batch_refused_half_way_does_not_harm_its_group() {
    let journal = Journal::with_events(1);
    let writer = journal.writer();
    let conflict = || Draft { id: nth(1).id, ..nth(2) };
    // Submitted without waiting, so that they meet in one commit.
    let tickets: Vec<_> = (10..200_u32)
        .map(|number| {
            let batch = match number % 3 {
                0 => vec![nth(number)],
                1 => vec![nth(number), nth(number + 1_000), conflict()],
                _ => vec![conflict(), nth(number)],
            };
            (number, writer.submit(batch).unwrap())
        })
        .collect();
    let mut seq = 1;
    for (number, ticket) in tickets {
        match ticket.wait() {
            Ok(receipt) => {
                seq += 1;
                assert_eq!((number % 3, receipt.last_seq), (0, Some(seq)), "in the order of submission");
            }
            Err(error) => assert!(number % 3 != 0 && matches!(error, AppendError::Conflict { seq: 1, .. }), "{error}"),
        }
    }
    assert_eq!(assert_sound(&journal.dir), seq);
}

#[test]
fn what_was_submitted_first_is_recorded_first() {
    let journal = Journal::new();
    let writer = journal.writer();
    for number in (0..300).step_by(3) {
        let first = writer.submit(vec![nth(number)]).unwrap();
        let second = writer.submit(vec![nth(number + 1)]).unwrap();
        let third = writer.append(vec![nth(number + 2)]).unwrap().last_seq;
        let seqs = [first.wait().unwrap().last_seq, second.wait().unwrap().last_seq, third];
        assert_eq!(seqs, [1, 2, 3].map(|place| Some(u64::from(number) + place)));
    }
}

#[test]
fn a_full_queue_gives_the_batch_back() {
    let journal = Journal::new();
    let options = WriterOptions { queue_len: 1, ..WriterOptions::default() };
    let writer = Writer::open(&journal.dir, options).unwrap();
    let mut tickets = Vec::new();
    let given_back = (0..10_000).find_map(|number| match writer.try_submit(vec![nth(number)]) {
        Ok(ticket) => {
            tickets.push(ticket);
            None
        }
        Err((drafts, error)) => Some((drafts, error, number)),
    });
    let (drafts, error, number) = given_back.expect("a queue of one is full at some time");
    assert!(matches!(error, AppendError::QueueFull), "{error}");
    assert_eq!(drafts, [nth(number)]);
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    assert_eq!(assert_sound(&journal.dir), u64::from(number));
}

#[test]
fn dropping_the_writer_answers_what_waits() {
    let journal = Journal::new();
    let writer = journal.writer();
    let tickets: Vec<_> = (0..500).map(|number| writer.submit(vec![nth(number)]).unwrap()).collect();
    drop(writer);
    for ticket in tickets {
        ticket.wait_timeout(Duration::ZERO).expect("answered").unwrap();
    }
    assert_eq!(assert_sound(&journal.dir), 500);
}

#[test]
fn a_doorbell_rings_for_new_events_only() {
    let journal = Journal::new();
    let writer = journal.writer();
    let (bell, rung) = bounded(1);
    let (gone, _) = bounded(1);
    writer.subscribe(gone);
    writer.subscribe(bell);
    for number in [1, 2, 3] {
        writer.append(vec![nth(number)]).unwrap();
    }
    assert!(rung.recv_timeout(Duration::from_secs(9)).is_ok());
    std::thread::sleep(Duration::from_millis(20));
    while rung.try_recv().is_ok() {}
    writer.append(vec![nth(1)]).unwrap();
    writer.append(vec![]).unwrap();
    assert!(writer.append(vec![Draft { id: nth(1).id, ..nth(2) }]).is_err());
    assert!(rung.recv_timeout(Duration::from_millis(50)).is_err(), "a duplicate is nothing new");
}

#[test]
fn streams_beyond_what_is_kept_in_memory_go_on_where_they_were() {
    let journal = Journal::new();
    let writer = journal.writer();
    let many = |from: u32| {
        let stream = |number| Stream::Named(format!("trade/{number}"));
        (from..from + 70_000).map(|number| Draft { stream: stream(number % 70_000), ..nth(number) }).collect()
    };
    writer.append(many(0)).unwrap();
    writer.append(many(70_000)).unwrap();
    assert_eq!(assert_sound(&journal.dir), 140_000);
    assert_eq!(journal.reader().stream_version("trade/69999").unwrap(), 2);
}
