//! A sweep over services with a large library: how much they are asked, how long it takes, what it holds;
//! beside a loop that asks each service about each title, as trackers do.
#![allow(clippy::print_stdout, reason = "figures are what a bench is for")]

mod rig;

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use rig::daemon::Daemon;
use rig::{Place, peak, processor, resident};
use simulators::{Jellyfin, Radarr, Simulator, Sonarr, Title, World};

fn main() -> Result<()> {
    let place = Place::new()?;
    let library = Library::new(&place);
    println!(
        "\nlibrary: {} films, {} series, {} episodes",
        library.films.len(),
        library.series.len(),
        library.series.iter().map(|series| series.files.len()).sum::<usize>()
    );
    swept(&place, &library)?;
    loop_of_trackers(&place, &library)
}

struct Library {
    world: World,
    films: Vec<Arc<Title>>,
    series: Vec<Arc<Title>>,
    radarr: Radarr,
    sonarr: Sonarr,
    jellyfin: Jellyfin,
}

impl Library {
    fn new(place: &Place) -> Self {
        let world = World::new(place.path("media"));
        let count = |full, smoke| u32::try_from(place.size(full, smoke)).unwrap_or(u32::MAX);
        let films = world.films(count(50_000, 300));
        let series = world.series(count(5_000, 30), 4, 10);
        let radarr = Radarr::start(&world, simulators::radarr::Options::default());
        let sonarr = Sonarr::start(&world, simulators::sonarr::Options::default());
        let jellyfin = Jellyfin::start(&world, simulators::jellyfin::Options::default());
        Self { world, films, series, radarr, sonarr, jellyfin }
    }

    fn services(&self) -> [(&str, &Simulator); 3] {
        [("radarr.a", &self.radarr), ("sonarr.a", &self.sonarr), ("jellyfin.a", &self.jellyfin)]
    }

    fn config(&self, place: &Place) -> String {
        let media = place.path("media");
        let media = media.display();
        let mut text = String::new();
        for root in ["movies", "tv"] {
            text += &format!("[roots.{root}]\npath = \"{media}/{root}\"\n");
        }
        let paths = [
            format!("\"/movies\" = \"{media}/movies\""),
            format!("\"/tv\" = \"{media}/tv\""),
            format!("\"/media\" = \"{media}\""),
        ];
        for ((name, service), paths) in self.services().into_iter().zip(paths) {
            let (url, key) = (service.url(), service.key());
            text +=
                &format!("[{name}]\nurl = \"{url}\"\napi_key = \"{key}\"\npaths = {{ {paths} }}\n");
        }
        text
    }
}

/// The daemon lists all services, at its first start and at one with all known.
fn swept(place: &Place, library: &Library) -> Result<()> {
    let config = place.path("obituarr.toml");
    fs::write(&config, library.config(place))?;
    for what in ["first", "with all known"] {
        let daemon = Daemon::configured(place, "state", &config)?;
        let began = place.now();
        let took = daemon.until(place, began, || {
            let status = daemon.ask("/v1/status")?;
            let services = status["services"].as_array().context("no services")?;
            Ok(services.iter().all(|service| service["health"] == "well"))
        })?;
        let worked = processor(daemon.pid())?.saturating_sub(daemon.worked);
        println!("\nsweep, {what}: {:.2} s from READY", took.as_secs_f64());
        place.say("processor time", worked.as_secs_f64(), "s", Some(60.0));
        place.say("resident at most", peak(daemon.pid())?, "MiB", Some(200.0));
        place.say("resident then", resident(daemon.pid())?, "MiB", None);
        for (name, service) in library.services() {
            let asked = service.asked_in_all();
            println!("{name}: {asked} requests: {:?}", service.requests());
            service.forget_requests();
        }
        ensure!(!daemon.log().contains("refutes nothing"), "{}", daemon.log());
        daemon.stop()?;
    }
    Ok(())
}

/// Asks each service about each title, one after the other.
fn loop_of_trackers(place: &Place, library: &Library) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let began = place.now();
    runtime.block_on(async {
        let radarr = client("x-api-key", library.radarr.key())?;
        for film in &library.films {
            let url = format!("{}/api/v3/movie?tmdbId={}", library.radarr.url(), film.tmdb);
            ensure!(radarr.get(url).send().await?.bytes().await?.len() > 2, "no film");
        }
        let sonarr = client("x-api-key", library.sonarr.key())?;
        for series in &library.series {
            let id = series.tvdb.unwrap_or_default();
            let url = format!("{}/api/v3/series?tvdbId={id}", library.sonarr.url());
            ensure!(sonarr.get(url).send().await?.bytes().await?.len() > 2, "no series");
        }
        let token = format!("MediaBrowser Token=\"{}\"", library.jellyfin.key());
        let jellyfin = client(AUTHORIZATION.as_str(), &token)?;
        for title in library.films.iter().chain(&library.series) {
            let url = format!(
                "{}/Items?recursive=true&includeItemTypes=Movie,Series&limit=5&searchTerm={}",
                library.jellyfin.url(),
                title.name.replace(' ', "%20")
            );
            ensure!(jellyfin.get(url).send().await?.status().is_success(), "no answer");
        }
        anyhow::Ok(())
    })?;
    let took: Duration = place.now() - began;
    let asked: u64 = library.services().iter().map(|(_, service)| service.asked_in_all()).sum();
    println!(
        "\na loop of one request a title and service: {:.2} s, {asked} requests",
        took.as_secs_f64()
    );
    ensure!(!library.world.titles().is_empty(), "the library is gone");
    Ok(())
}

fn client(header: &str, key: &str) -> Result<reqwest::Client> {
    let name = reqwest::header::HeaderName::from_bytes(header.as_bytes())?;
    let headers: HeaderMap = [(name, HeaderValue::from_str(key)?)].into_iter().collect();
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()?
    .with_root_certificates(rustls::RootCertStore::empty())
    .with_no_client_auth();
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .default_headers(headers)
        .no_proxy()
        .build()?)
}
