//! Starts one stand-in of each service over a made-up library, to try things on by hand, and for the
//! services' public clients. It runs until it is stopped, and writes nothing but the library.
#![allow(clippy::print_stdout, reason = "says where they are")]

use std::path::PathBuf;
use std::thread;

use clap::Parser;
use simulators::{
    Jellyfin, Radarr, Shoko, Simulator, Sonarr, World, jellyfin, radarr, shoko, sonarr,
};

/// Stand-ins for Radarr, Sonarr, Jellyfin and Shoko over one made-up library.
#[derive(Debug, Parser)]
struct Args {
    /// Where the library is made
    #[arg(long, value_name = "DIR")]
    library: PathBuf,
    /// How many films it has
    #[arg(long, value_name = "N", default_value_t = 100)]
    films: u32,
    /// How many series it has, of two seasons of ten episodes each
    #[arg(long, value_name = "N", default_value_t = 20)]
    series: u32,
    /// How many anime series it has
    #[arg(long, value_name = "N", default_value_t = 10)]
    anime: u32,
    /// The first of four ports; 0 for any that are free
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port_base: u16,
    /// Serve Radarr below /radarr, Sonarr below /sonarr, Jellyfin below /jellyfin
    #[arg(long)]
    url_base: bool,
}

fn main() {
    let args = Args::parse();
    let world = World::new(&args.library);
    world.films(args.films);
    world.series(args.series, 2, 10);
    world.anime(args.anime);
    let port = |n: u16| if args.port_base == 0 { 0 } else { args.port_base + n };
    let url_base = |base: &str| if args.url_base { base.to_owned() } else { String::new() };
    let radarr =
        radarr::Options { port: port(0), url_base: url_base("/radarr"), ..Default::default() };
    let radarr = Radarr::start(&world, radarr);
    let sonarr =
        sonarr::Options { port: port(1), url_base: url_base("/sonarr"), ..Default::default() };
    let sonarr = Sonarr::start(&world, sonarr);
    let jellyfin =
        jellyfin::Options { port: port(2), url_base: url_base("/jellyfin"), ..Default::default() };
    let jellyfin = Jellyfin::start(&world, jellyfin);
    let shoko = Shoko::start(&world, shoko::Options { port: port(3), ..Default::default() });
    let tell = |name: &str, simulator: &Simulator| {
        println!("{name} {} {}", simulator.url(), simulator.key());
    };
    tell("radarr", &radarr);
    tell("sonarr", &sonarr);
    tell("jellyfin", &jellyfin);
    tell("shoko", &shoko);
    println!("ready");
    loop {
        thread::park();
    }
}
