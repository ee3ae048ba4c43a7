//! How long things take; prints, and fails only where something is out of all proportion.

use std::time::{Duration, Instant};

use store::Store;

use crate::support::{Fixture, at, clamped, new_image};

/// Runs `job` and prints what it took.
#[expect(clippy::print_stdout, reason = "what a measurement is for")]
fn timed<T>(name: &str, job: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = job();
    let took = start.elapsed();
    println!("{name:24} {:8.2} ms", took.as_secs_f64() * 1000.0);
    (result, took)
}

#[test]
#[ignore = "a measurement: run it alone, with optimised code"]
fn fifty_thousand_small_files() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let content = vec![b'x'; 1500];
    let (active, _) = timed("prepare", || store.prepare(None, &fixture.lease).unwrap());
    timed("write 50,000 files", || {
        for folder in 0..100 {
            let folder = active.upper().join(folder.to_string());
            std::fs::create_dir(&folder).unwrap();
            for file in 0..500 {
                std::fs::write(folder.join(file.to_string()), &content).unwrap();
            }
        }
    });
    let (layer, _) = timed("commit, clamped", || active.commit(&clamped()).unwrap());
    let (known, _) = timed("digest", || store.layer(layer.id()).unwrap());
    let mut tar = store.open_blob(&known.diff_id.0).unwrap();
    let other = Fixture::new();
    timed("apply", || {
        other
            .store
            .apply(&mut tar, None, Some(known.diff_id), &other.lease)
            .unwrap()
    });
    timed("collect", || {
        let (store, folder) = other.release();
        store.gc(&store::GcPolicy::default()).unwrap();
        folder
    });
    let (_, warm) = timed("digest again", || store.layer(layer.id()).unwrap());
    assert!(warm < Duration::from_millis(10));
}

#[test]
#[ignore = "a measurement: run it alone, with optimised code"]
fn opening_does_not_depend_on_how_much_there_is() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let layer = fixture.layer(None, |_| {});
    for number in 0..2000 {
        let mut image = new_image(Some(layer.id()), &[&format!("image:{number}")]);
        image.config.author = Some(number.to_string());
        store.create_image(&image, &fixture.lease).unwrap();
    }
    let (_, one) = timed("one more image", || {
        fixture.image(Some(layer.id()), &["image:more"])
    });
    assert!(one < Duration::from_millis(50));
    timed("prepare", || {
        store.prepare(Some(layer.id()), &fixture.lease).unwrap()
    });
    timed("collect nothing", || {
        store.gc(&store::GcPolicy::default()).unwrap()
    });
    timed("list", || store.read(|tx| tx.images()).unwrap().len());
    timed("find", || {
        store.read(|tx| tx.find_image("image:77")).unwrap()
    });
    timed("write", || {
        let touched = store.write(|tx| tx.touch_cache_records(&["x"], at(1)));
        touched.unwrap();
    });
    drop(layer);
    let root = store.root().to_owned();
    let _folder = fixture.close();
    let (_, open) = timed("open", || Store::open(&root).unwrap());
    assert!(open < Duration::from_millis(50));
}
