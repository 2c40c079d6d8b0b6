//! Asks the services about one item, all at once and under one deadline.
//!
//! It comes before the look at the disk: only the disk can prove what a service claims, and what it
//! shows last weighs most.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::domain::{Failure, Instance, Question, Said};
use crate::services::Client;

/// What one instance answered.
pub type Reply = (Instance, Result<Said, Failure>);

/// Asks each instance its question. Who does not answer within `deadline` has not answered; the others
/// are not waited for longer because of it. In the order of the instances.
pub async fn ask(questions: Vec<(Client, Question)>, deadline: Duration) -> Vec<Reply> {
    let mut running = JoinSet::new();
    let asked: Vec<Instance> =
        questions.iter().map(|(client, _)| client.instance().clone()).collect();
    for (client, question) in questions {
        running.spawn(async move {
            let instance = client.instance().clone();
            let said = timeout(deadline, client.ask(&question)).await;
            (instance, said.unwrap_or_else(|_| Err(too_late(deadline))))
        });
    }
    let mut replies = Vec::with_capacity(asked.len());
    while let Some(reply) = running.join_next().await {
        replies.extend(reply.ok());
    }
    // A fault of our own says nothing either.
    for instance in asked {
        if !replies.iter().any(|(answered, _)| *answered == instance) {
            let why = "asking it met a fault of its own".to_owned();
            replies.push((instance, Err(Failure::Transient { why, retry_after: None })));
        }
    }
    replies.sort_by(|(a, _), (b, _)| a.cmp(b));
    replies
}

fn too_late(deadline: Duration) -> Failure {
    let seconds = deadline.as_secs();
    Failure::Transient { why: format!("no answer within {seconds} s"), retry_after: None }
}
