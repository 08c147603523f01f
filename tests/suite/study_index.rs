//! The index of studies: a second visit reads only what changed, and what is forgotten is gone.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use maquette::io::import::{Look, Memory, Stamp, scan_place};
use maquette::ops::browse::tree::{Order, tree};
use maquette::ops::browse::{StudyIndex, fresh, known, picture, visit};
use maquette::ops::open::{ImportError, ImportOptions, Scan, SeriesEntry, load};
use maquette::task::Progress;

use crate::support::series::{axial, edit, tree_of_studies, volume, written};

fn index_in(folder: &Path) -> StudyIndex {
    StudyIndex::open(&folder.join("state/studies.sqlite")).expect("an index")
}

fn look(place: &Path, index: &StudyIndex) -> Scan {
    visit(place, Some(index), &|_| {}, &Progress::new()).expect("a scan")
}

/// What a person would see of a scan.
fn seen(entries: &[SeriesEntry]) -> Vec<String> {
    let line = |entry: &SeriesEntry| format!("{:?} {:?} {:?} {:?}", entry.info, entry.files, entry.grid, entry.report);
    let mut lines: Vec<String> = entries.iter().map(line).collect();
    lines.sort();
    lines
}

#[test]
fn a_second_visit_reads_no_file_that_is_as_it_was() {
    let (place, state) = (tree_of_studies(), tempfile::tempdir().expect("a folder"));
    let index = index_in(state.path());
    let first = look(place.path(), &index);
    assert_eq!(first.read_count, first.file_count);
    let second = look(place.path(), &index);
    assert_eq!((second.read_count, second.file_count), (0, first.file_count));
    assert_eq!(seen(&second.entries), seen(&first.entries));
    // The same from the index alone, from another window, and of a folder inside.
    let other = index_in(state.path());
    let listed: Vec<SeriesEntry> =
        known(place.path(), &other).series.iter().map(|listed| (*listed.entry).clone()).collect();
    assert_eq!(seen(&listed), seen(&first.entries));
    assert_eq!(look(&place.path().join("a"), &other).read_count, 0);
    let places = other.places();
    let whole = places.iter().find(|known| known.path == place.path()).expect("the place");
    assert_eq!((places.len(), whole.series, whole.files), (2, first.entries.len(), first.file_count));
}

#[test]
fn changed_new_and_removed_files_are_noticed() {
    let (place, state) = (tree_of_studies(), tempfile::tempdir().expect("a folder"));
    let index = index_in(state.path());
    let before = look(place.path(), &index);
    let entry = &before.entries[0];
    let (gone, changed) = (entry.files[0].clone(), entry.files[2].clone());
    std::fs::remove_file(&gone).expect("removed");
    edit(&changed, |data| {
        data.put_str(dicom_dictionary_std::tags::IMAGE_COMMENTS, dicom_core::VR::LT, "one that is longer");
    });
    std::fs::write(place.path().join("a/notes.txt"), "new").expect("written");
    let after = look(place.path(), &index);
    assert_eq!(after.read_count, 2, "the changed and the new one");
    let same = after.entries.iter().find(|other| other.info.series_uid == entry.info.series_uid).expect("still there");
    assert_eq!(same.slice_count(), entry.slice_count() - 1);
    assert!(!same.files.contains(&gone));
    assert!(!known(place.path(), &index).series.iter().any(|listed| listed.entry.files.contains(&gone)));
    // A list that is older than the files opens nothing.
    let stale: Vec<Arc<SeriesEntry>> = before.entries.into_iter().map(Arc::new).collect();
    let refused = fresh(&stale, 0, ImportOptions::default(), "", &Progress::new());
    assert!(refused.is_err(), "a series that lost a file is not opened from the old list");
}

/// An index that somebody cancels after a few files.
struct Impatient<'a> {
    index: &'a StudyIndex,
    progress: &'a Progress,
    left: AtomicUsize,
}

impl Memory for Impatient<'_> {
    fn recall(&self, path: &Path, stamp: Stamp) -> Option<Vec<u8>> {
        self.index.recall(path, stamp)
    }

    fn keep(&self, path: &Path, stamp: Stamp, record: Vec<u8>) {
        self.index.keep(path, stamp, record);
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.progress.cancel();
        }
    }

    fn flush(&self) {
        self.index.flush();
    }

    fn keep_only(&self, place: &Path, files: &[(PathBuf, Stamp)]) {
        self.index.keep_only(place, files);
    }
}

#[test]
fn a_cancelled_visit_is_gone_on_with() {
    let (place, state) = (tree_of_studies(), tempfile::tempdir().expect("a folder"));
    let (index, progress) = (index_in(state.path()), Progress::new());
    let impatient = Impatient { index: &index, progress: &progress, left: AtomicUsize::new(4) };
    let how = Look { memory: Some(&impatient), ..Look::default() };
    assert!(matches!(scan_place(place.path(), &how, &progress), Err(ImportError::Cancelled(_))));
    let rest = look(place.path(), &index);
    assert!(rest.read_count <= rest.file_count - 4, "{} of {}", rest.read_count, rest.file_count);
    assert!(rest.read_count > 0);
    assert_eq!(look(place.path(), &index).read_count, 0);
}

#[test]
fn series_come_while_the_rest_is_looked_at_and_say_whether_they_are_whole() {
    // Listings come by the clock, so a place is asked for file by file: what is listed is never more than was looked at.
    let place = tree_of_studies();
    let listings = std::sync::Mutex::new(Vec::new());
    let slow = |listing| listings.lock().expect("alone").push(listing);
    let scan = visit(place.path(), None, &slow, &Progress::new()).expect("a scan");
    for listing in listings.into_inner().expect("alone") {
        assert!(listing.done <= listing.total && listing.total == scan.file_count);
        for listed in listing.series.iter().filter(|listed| listed.is_complete) {
            let whole = scan.entries.iter().find(|entry| entry.files == listed.entry.files);
            assert!(whole.is_some(), "a series that is called whole is what it stays");
        }
    }
}

#[test]
fn pictures_are_kept_and_go_with_their_file() {
    let (folder, files) = written(&volume(axial()));
    let state = tempfile::tempdir().expect("a folder");
    let index = index_in(state.path());
    let entry = look(folder.path(), &index).entries.remove(0);
    let made = picture(&entry, Some(&index)).expect("a picture");
    let middle = &entry.files[entry.files.len() / 2];
    assert_eq!(index.picture(middle, &entry.part), Some(made));
    edit(&files[3], |data| {
        data.put_str(dicom_dictionary_std::tags::IMAGE_COMMENTS, dicom_core::VR::LT, "changed");
    });
    look(folder.path(), &index);
    assert_eq!(index.picture(middle, &entry.part), None);
}

#[test]
fn what_is_forgotten_is_gone_and_the_file_is_its_users_alone() {
    let (place, state) = (tree_of_studies(), tempfile::tempdir().expect("a folder"));
    let index = index_in(state.path());
    let entries = look(place.path(), &index).entries;
    picture(&entries[0], Some(&index)).expect("a picture");
    let file = state.path().join("state/studies.sqlite");
    #[cfg(unix)]
    for end in ["", "-wal"] {
        use std::os::unix::fs::PermissionsExt as _;
        let path = PathBuf::from(format!("{}{end}", file.display()));
        let mode = std::fs::metadata(path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    index.forget(place.path()).expect("forgotten");
    assert!(index.places().is_empty() && known(place.path(), &index).series.is_empty());
    drop(index);
    let name = place.path().file_name().expect("a name").to_string_lossy().into_owned();
    let bytes = std::fs::read(&file).expect("readable");
    assert!(!String::from_utf8_lossy(&bytes).contains(&name), "no trace of the place is left in the file");
    let again = index_in(state.path());
    assert!(look(place.path(), &again).read_count > 0);
}

#[test]
fn a_damaged_index_is_begun_anew() {
    let (folder, _) = written(&volume(axial()));
    let state = tempfile::tempdir().expect("a folder");
    drop(index_in(state.path()));
    let file = state.path().join("state/studies.sqlite");
    let mut bytes = std::fs::read(&file).expect("readable");
    bytes[100..].fill(0x5a);
    std::fs::write(&file, bytes).expect("written");
    let index = StudyIndex::open(&file).expect("made anew");
    look(folder.path(), &index);
    assert_eq!(look(folder.path(), &index).read_count, 0);
}

#[test]
fn a_file_that_is_no_index_stays_as_it_is() {
    let state = tempfile::tempdir().expect("a folder");
    let (notes, bent, other) = (state.path().join("notes.txt"), state.path().join("bent"), state.path().join("other"));
    std::fs::write(&notes, "a thesis").expect("written");
    std::fs::write(&bent, b"SQLite format 3\0 and then nothing of the kind").expect("written");
    let database = rusqlite::Connection::open(&other).expect("a database");
    database.execute_batch("CREATE TABLE results (value); INSERT INTO results VALUES (1)").expect("filled");
    drop(database);
    for file in [&notes, &bent, &other] {
        let (before, rights) = (std::fs::read(file).expect("readable"), std::fs::metadata(file).expect("there"));
        let Err(error) = StudyIndex::open(file) else { panic!("{} was taken", file.display()) };
        assert!(error.to_string().contains("is no index of studies"), "{error}");
        assert_eq!(std::fs::read(file).expect("still there"), before);
        assert_eq!(std::fs::metadata(file).expect("there").permissions(), rights.permissions());
    }
    let empty = state.path().join("empty");
    std::fs::write(&empty, "").expect("written");
    assert!(StudyIndex::open(&empty).is_ok());
}

#[test]
fn a_file_that_could_not_be_read_is_looked_at_again() {
    let (folder, files) = written(&volume(axial()));
    let state = tempfile::tempdir().expect("a folder");
    let index = index_in(state.path());
    let half = std::fs::read(&files[0]).expect("readable");
    std::fs::write(folder.path().join("half.dcm"), &half[..140]).expect("written");
    let first = look(folder.path(), &index);
    assert!(first.left_out.iter().any(|(path, _)| path.ends_with("half.dcm")), "{:?}", first.left_out);
    assert_eq!(look(folder.path(), &index).read_count, 1);
}

#[test]
fn the_list_is_searched_sorted_and_opened_from() {
    let (place, state) = (tree_of_studies(), tempfile::tempdir().expect("a folder"));
    let index = index_in(state.path());
    look(place.path(), &index);
    let listing = known(place.path(), &index);
    let series: Vec<Arc<SeriesEntry>> = listing.series.into_iter().map(|listed| listed.entry).collect();
    let all = tree(&series, "", Order::Name);
    let names: Vec<&str> = all.iter().map(|patient| patient.name.as_str()).collect();
    assert_eq!(names, ["ADAMS Ann", "BAKER Bob"]);
    assert_eq!(all[0].studies.iter().map(|study| study.series.len()).sum::<usize>(), 2);
    assert_eq!(tree(&series, "", Order::Newest)[0].name, "BAKER Bob");
    let found = tree(&series, "baker ct", Order::Name);
    assert_eq!((found.len(), found[0].studies[0].series.len()), (1, 1));
    assert!(tree(&series, "baker nothing", Order::Name).is_empty());
    let chosen = found[0].studies[0].series[0];
    let entry = fresh(&series, chosen, ImportOptions::default(), "", &Progress::new()).expect("as it was");
    assert!(load(&entry, &Progress::new(), &|_| {}).is_ok());
}

#[test]
fn another_build_reads_everything_again_but_knows_where_somebody_has_been() {
    let (folder, files) = written(&volume(axial()));
    let state = tempfile::tempdir().expect("a folder");
    look(folder.path(), &index_in(state.path()));
    let database = rusqlite::Connection::open(state.path().join("state/studies.sqlite")).expect("the index");
    database.execute("UPDATE made_by SET words = 'an older build'", []).expect("changed");
    drop(database);
    let index = index_in(state.path());
    assert_eq!(index.places().len(), 1);
    assert!(known(folder.path(), &index).series.is_empty());
    assert_eq!(look(folder.path(), &index).read_count, files.len());
}
