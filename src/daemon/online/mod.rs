//! `check-config --online`: asks each configured service who it is and what it lists, looks for that on
//! the disk, and says what has to be put right.
//!
//! It needs no daemon and disturbs none: the store stays shut, nothing is written, no service is asked
//! for anything but to answer. It must never take what did not answer for well.

mod disk;
mod fixes;
mod view;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::services;
use crate::clock::{Clock, SystemClock};
use crate::config::{ServiceSettings, Settings};
use crate::control::{CheckProgress, CheckStep};
use crate::domain::{Failure, Listing};
use crate::sensors::sweep::Pace;

use disk::Disk;
pub use view::{Finding, FolderView, Online, Outcome, RootView, ServiceView};

/// How long an instance may take for everything, in deadlines of one answer: a listing has four.
const PATIENCE: u32 = 8;
/// How long the disks may take for the paths of one instance.
const DISKS: Duration = Duration::from_mins(2);
/// How often is told how far it is, and how long nothing is told.
const TICK: Duration = Duration::from_millis(200);
const QUIET: u32 = 5;

/// Asks all services at once; `tell` hears how far they are when it takes longer.
pub async fn online(settings: &Settings, tell: impl Fn(&CheckProgress)) -> Online {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let shared = Arc::new(settings.clone());
    let mut steps = Vec::new();
    let mut asked = JoinSet::new();
    for (at, service) in settings.services.iter().enumerate() {
        let (pace, clock) = (Arc::new(Pace::default()), Arc::clone(&clock));
        steps.push((service.instance.to_string(), Arc::clone(&pace), false));
        let (settings, service) = (Arc::clone(&shared), service.clone());
        asked.spawn(async move { (at, one(&settings, &service, &clock, &pace).await) });
    }
    let mut answers: Vec<Option<ServiceView>> = settings.services.iter().map(|_| None).collect();
    let mut tick = tokio::time::interval(TICK);
    let mut ticks = 0_u32;
    loop {
        tokio::select! {
            answer = asked.join_next() => match answer {
                None => break,
                Some(Ok((at, view))) => {
                    answers[at] = Some(view);
                    steps[at].2 = true;
                }
                // Its place stays empty, which says so.
                Some(Err(_)) => {}
            },
            _ = tick.tick() => {
                ticks = ticks.saturating_add(1);
                if ticks > QUIET {
                    tell(&progress(&steps));
                }
            }
        }
    }
    let of = |(service, answer): (&ServiceSettings, Option<ServiceView>)| {
        answer.unwrap_or_else(|| {
            let mut view = ServiceView::new(service);
            view.untold("asking it met a fault of our own".to_owned());
            view
        })
    };
    let services: Vec<ServiceView> = settings.services.iter().zip(answers).map(of).collect();
    let root = |root: &crate::config::RootSettings| {
        let name = root.name.to_string();
        let lists = services.iter().filter(|service| service.roots.contains(&name));
        RootView {
            path: root.path.display().to_string(),
            services: lists.map(|service| service.name.clone()).collect(),
            name,
        }
    };
    let roots = settings.roots.iter().map(root).collect();
    Online { services, roots }
}

fn progress(steps: &[(String, Arc<Pace>, bool)]) -> CheckProgress {
    let step = |(what, pace, finished): &(String, Arc<Pace>, bool)| {
        let (done, of) = pace.read();
        CheckStep { what: what.clone(), done, of, finished: *finished }
    };
    CheckProgress { steps: steps.iter().map(step).collect() }
}

/// Asks one instance, and looks for what it lists.
async fn one(
    settings: &Arc<Settings>,
    service: &ServiceSettings,
    clock: &Arc<dyn Clock>,
    pace: &Pace,
) -> ServiceView {
    let mut view = ServiceView::new(service);
    let patience = service.timeout.saturating_mul(PATIENCE);
    let listing = match tokio::time::timeout(patience, ask(service, clock, pace, &mut view)).await {
        Ok(Ok(listing)) => listing,
        Ok(Err(failure)) => {
            view.failed(&failure);
            return view;
        }
        Err(_) => {
            view.untold(format!("it did not come to an end within {} s", patience.as_secs()));
            return view;
        }
    };
    view.titles = Some(u64::try_from(listing.titles.len()).unwrap_or(u64::MAX));
    let (settings, service, fallback) = (Arc::clone(settings), service.clone(), view.clone());
    let looked = tokio::task::spawn_blocking(move || look(&settings, &service, &listing, view));
    let why = match tokio::time::timeout(DISKS, looked).await {
        Ok(Ok(view)) => return view,
        Ok(Err(_)) => "looking for its paths met a fault of our own".to_owned(),
        Err(_) => format!("the disks did not show its paths within {} s", DISKS.as_secs()),
    };
    let mut view = fallback;
    view.untold(why);
    view
}

async fn ask(
    service: &ServiceSettings,
    clock: &Arc<dyn Clock>,
    pace: &Pace,
    view: &mut ServiceView,
) -> Result<Listing, Failure> {
    let client = services::client(service, clock).map_err(|why| Failure::Permanent { why })?;
    let about = client.about().await?;
    view.answered(&about);
    client.list(&|done, of| pace.set(done, of)).await
}

fn look(
    settings: &Settings,
    service: &ServiceSettings,
    listing: &Listing,
    mut view: ServiceView,
) -> ServiceView {
    let disk = match Disk::open(settings) {
        Ok(disk) => disk,
        Err(error) => {
            view.untold(format!("the mount table can't be read: {error}"));
            return view;
        }
    };
    let found = fixes::weigh(settings, service, listing, &disk, &mut view);
    let roots: BTreeSet<String> = found.iter().map(ToString::to_string).collect();
    view.roots = roots.into_iter().collect();
    view
}
