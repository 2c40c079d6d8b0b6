//! What Shoko remembers: series, videos, and for each video the places where it was seen. It never
//! notices by itself that a file went; only whether one can be read is looked up on the disk, each time
//! that it is asked.

use std::sync::Arc;

use crate::place::Place;
use crate::world::{MediaFile, Title};

#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) id: u32,
    pub(super) title: Arc<Title>,
    pub(super) hidden: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Video {
    pub(super) id: u32,
    pub(super) series: u32,
    pub(super) file: MediaFile,
    pub(super) locations: Vec<Location>,
    pub(super) ignored: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Location {
    pub(super) id: u32,
    /// `/`-separated, below the folder.
    pub(super) path: String,
}

#[derive(Debug, Clone)]
pub(super) struct Database {
    /// The one folder, with the number 1.
    pub(super) folder: Place,
    pub(super) knows_folder: bool,
    pub(super) series: Vec<Series>,
    pub(super) videos: Vec<Video>,
    pub(super) blocked: bool,
    pub(super) last_series: u32,
    pub(super) last_video: u32,
    last_location: u32,
}

impl Database {
    pub(super) fn new(folder: Place) -> Self {
        Self {
            folder,
            knows_folder: true,
            series: Vec::new(),
            videos: Vec::new(),
            blocked: false,
            last_series: 0,
            last_video: 0,
            last_location: 0,
        }
    }

    pub(super) fn add(&mut self, title: &Arc<Title>) {
        self.last_series += 1;
        let id = self.last_series;
        self.series.push(Series { id, title: Arc::clone(title), hidden: false });
        for file in &title.files {
            self.add_video(id, title, file);
        }
    }

    fn add_video(&mut self, series: u32, title: &Title, file: &MediaFile) {
        self.last_video += 1;
        let locations = vec![self.location(format!("{}/{}", title.folder, file.name))];
        let (id, file) = (self.last_video, file.clone());
        self.videos.push(Video { id, series, file, locations, ignored: false });
    }

    fn location(&mut self, path: String) -> Location {
        self.last_location += 1;
        Location { id: self.last_location, path }
    }

    pub(super) fn of(&self, title: &Title) -> Option<u32> {
        self.series.iter().find(|series| series.title.anidb == title.anidb).map(|series| series.id)
    }

    pub(super) fn one(&self, id: u32) -> Option<&Series> {
        self.series.iter().find(|series| series.id == id)
    }

    pub(super) fn videos_of(&self, series: u32) -> impl Iterator<Item = &Video> {
        self.videos.iter().filter(move |video| video.series == series)
    }

    pub(super) fn remove(&mut self, title: &Title) {
        let Some(id) = self.of(title) else { return };
        self.series.retain(|series| series.id != id);
        self.videos.retain(|video| video.series != id);
    }

    /// Adds another place for each file of a title.
    pub(super) fn also_at(&mut self, title: &Title, folder: &str) {
        let Some(id) = self.of(title) else { return };
        for at in 0..self.videos.len() {
            if self.videos[at].series == id {
                let path = format!("{folder}/{}", self.videos[at].file.name);
                let location = self.location(path);
                self.videos[at].locations.push(location);
            }
        }
    }

    /// Takes the files of a title for moved to another folder.
    pub(super) fn rename(&mut self, title: &Title, folder: &str) {
        let Some(id) = self.of(title) else { return };
        for video in self.videos.iter_mut().filter(|video| video.series == id) {
            let path = format!("{folder}/{}", video.file.name);
            video.locations.iter_mut().for_each(|location| location.path.clone_from(&path));
        }
    }

    /// Whether a place can be read now.
    pub(super) fn is_accessible(&self, location: &Location) -> bool {
        self.folder.disk.as_ref().is_none_or(|disk| disk.join(&location.path).is_file())
    }

    /// Drops every place that can't be read, with no guard against a disk that is away. A series stays.
    pub(super) fn remove_missing(&mut self) {
        let Some(disk) = self.folder.disk.clone() else { return };
        for video in &mut self.videos {
            video.locations.retain(|location| disk.join(&location.path).is_file());
        }
        self.videos.retain(|video| !video.locations.is_empty());
    }

    /// Finds files of known series that it doesn't have, and drops nothing.
    pub(super) fn import(&mut self) {
        let Some(disk) = self.folder.disk.clone() else { return };
        for series in self.series.clone() {
            for file in &series.title.files {
                let known = self.videos_of(series.id).any(|video| video.file.name == file.name);
                if !known && disk.join(&series.title.folder).join(&*file.name).is_file() {
                    self.add_video(series.id, &series.title, file);
                }
            }
        }
    }

    pub(super) fn recreate_ids(&mut self) {
        for series in &mut self.series {
            series.id += self.last_series;
        }
        for video in &mut self.videos {
            video.series += self.last_series;
            video.id += self.last_video;
        }
        self.last_series *= 2;
        self.last_video *= 2;
    }
}
