//! What the collector takes and what it leaves, against a model.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use store::{CachePolicy, CacheRecord, ContainerRecord, FsckOptions, GcPolicy, Lease, SnapshotId};

use crate::support::{Fixture, at, new_image, write};

fn cache_record(key: &str, snapshot: Option<SnapshotId>, size: u64, used: u64) -> CacheRecord {
    CacheRecord {
        key: key.to_owned(),
        step: format!("step of {key}"),
        snapshot,
        payload: "{}".to_owned(),
        size,
        created: at(used),
        last_used: at(used),
    }
}

#[test]
fn what_a_lease_holds_stays() {
    let fixture = Fixture::new();
    let store = fixture.store.clone();
    let lease = store.lease();
    let layer = store.prepare(None, &lease).unwrap();
    let blob = store.put_blob("text/plain", b"x", &lease).unwrap();
    let gc = || store.gc(&GcPolicy::default()).unwrap();
    assert_eq!(gc(), store::Freed::default());
    drop(layer);
    let clone = lease.clone();
    drop(lease);
    assert_eq!(gc(), store::Freed::default());
    assert!(store.has_blob(&blob.digest).unwrap());
    drop(clone);
    let freed = gc();
    assert_eq!((freed.snapshots, freed.layers, freed.blobs), (1, 1, 1));
    assert!(!store.has_blob(&blob.digest).unwrap());
    assert_eq!(store.fsck(&FsckOptions::default()).unwrap(), []);
}

#[test]
fn cache_records_go_by_age_and_size() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let keys = || -> Vec<String> {
        let records = store.read(|tx| tx.cache_records()).unwrap();
        records.into_iter().map(|record| record.key).collect()
    };
    let fill = || {
        store
            .write(|tx| {
                for (key, size, used) in [("a", 100, 10), ("b", 50, 20), ("c", 60, 30)] {
                    tx.put_cache_record(&cache_record(key, None, size, used))?;
                }
                Ok(())
            })
            .unwrap();
    };
    let gc = |max_age: Option<u64>, max_size| {
        let cache = CachePolicy {
            now: at(40),
            max_age: max_age.map(Duration::from_secs),
            max_size,
        };
        store
            .gc(&GcPolicy { cache: Some(cache) })
            .unwrap()
            .cache_records
    };
    fill();
    assert_eq!(gc(Some(25), None), 1);
    assert_eq!(keys(), ["b", "c"]);
    fill();
    assert_eq!(gc(None, Some(110)), 1);
    assert_eq!(keys(), ["b", "c"]);
    assert_eq!(gc(None, Some(109)), 1);
    assert_eq!(keys(), ["c"]);
    store
        .write(|tx| tx.touch_cache_records(&["c"], at(39)))
        .unwrap();
    assert_eq!(gc(Some(5), None), 0);
    assert_eq!(gc(Some(0), None), 1);
}

#[test]
fn usage_tells_shared_from_unique() {
    let fixture = Fixture::new();
    let base = fixture.layer(None, |root| write(root, "base", &[1; 50_000]));
    let tops: Vec<_> = (0..2u8)
        .map(|number| fixture.layer(Some(base.id()), |root| write(root, "top", &[number; 9000])))
        .collect();
    for (number, top) in tops.iter().enumerate() {
        fixture.image(Some(top.id()), &[&format!("image:{number}")]);
    }
    let cached = fixture.layer(None, |root| write(root, "cached", &[3; 70_000]));
    fixture
        .store
        .write(|tx| tx.put_cache_record(&cache_record("k", Some(cached.id()), 1, 1)))
        .unwrap();
    let usage = fixture.store.usage().unwrap();
    for image in &usage.images {
        assert!(
            image.shared > 50_000 && image.unique() > 9000 && image.unique() < 50_000,
            "{image:?}"
        );
    }
    assert!(usage.layers > 68_000 && usage.layers < 100_000);
    assert!(usage.build_cache > 70_000);
}

/// Images come and go in several threads while the collector runs without pause: what a lease or
/// a name holds is never taken, whatever the order.
#[test]
fn the_collector_runs_beside_everything() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let working = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        let collector = scope.spawn(|| {
            let mut freed = 0;
            while working.load(std::sync::atomic::Ordering::Relaxed) {
                freed += store.gc(&GcPolicy::default()).unwrap().layers;
            }
            freed
        });
        let makers: Vec<_> = (0..3)
            .map(|maker| {
                scope.spawn(move || {
                    for round in 0..25 {
                        make_and_remove(store, maker, round);
                    }
                })
            })
            .collect();
        for maker in makers {
            maker.join().unwrap();
        }
        working.store(false, std::sync::atomic::Ordering::Relaxed);
        assert!(collector.join().unwrap() > 0);
    });
    assert_eq!(store.fsck(&FsckOptions { digests: true }).unwrap(), []);
}

fn make_and_remove(store: &store::Store, maker: u32, round: u32) {
    let tag = format!("stress{maker}:latest");
    let lease = store.lease();
    // All makers share this content, so it is made, found again and removed all the time.
    let shared = store.prepare(None, &lease).unwrap();
    write(&shared.upper(), "shared", b"by all");
    let shared = shared.commit(&crate::support::clamped()).unwrap();
    let own = store.prepare(Some(shared.id()), &lease).unwrap();
    write(&own.upper(), "own", format!("{maker} {round}").as_bytes());
    let own = own.commit(&crate::support::clamped()).unwrap();
    let image = store
        .create_image(&new_image(Some(own.id()), &[&tag]), &lease)
        .unwrap();
    let mut archive = Vec::new();
    let names = vec![tag.parse().unwrap()];
    store.save(&[(image.id, names)], &mut archive).unwrap();
    if round.is_multiple_of(3) {
        store.write(|tx| tx.remove_image(&tag, true)).unwrap();
        drop((lease, shared, own));
        let lease = store.lease();
        store.load(&mut archive.as_slice(), at(3), &lease).unwrap();
        store.image_config(&image.id).unwrap();
    }
}

#[derive(Debug, Clone)]
enum Step {
    Layer(prop::sample::Index),
    Image(prop::sample::Index, u8),
    Untag(u8),
    Container(prop::sample::Index, u8),
    RemoveContainer(u8),
    Cache(prop::sample::Index, u8),
    RemoveCache(u8),
    DropLease,
    Collect,
}

fn step() -> impl Strategy<Value = Step> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        3 => at().prop_map(Step::Layer),
        2 => (at(), 0..4u8).prop_map(|(at, name)| Step::Image(at, name)),
        1 => (0..4u8).prop_map(Step::Untag),
        2 => (at(), 0..4u8).prop_map(|(at, name)| Step::Container(at, name)),
        1 => (0..4u8).prop_map(Step::RemoveContainer),
        2 => (at(), 0..4u8).prop_map(|(at, name)| Step::Cache(at, name)),
        1 => (0..4u8).prop_map(Step::RemoveCache),
        1 => Just(Step::DropLease),
        2 => Just(Step::Collect),
    ]
}

/// What must stay: everything below what is named.
#[derive(Default)]
struct Model {
    parents: BTreeMap<SnapshotId, Option<SnapshotId>>,
    leased: BTreeSet<SnapshotId>,
    images: BTreeMap<u8, SnapshotId>,
    containers: BTreeMap<u8, SnapshotId>,
    cache: BTreeMap<u8, SnapshotId>,
}

impl Model {
    fn collect(&mut self) {
        let mut live = BTreeSet::new();
        let named = [&self.images, &self.containers, &self.cache];
        let roots = named
            .iter()
            .flat_map(|named| named.values())
            .chain(&self.leased);
        for root in roots {
            let mut next = Some(*root);
            while let Some(id) = next {
                live.insert(id);
                next = self.parents[&id];
            }
        }
        self.parents.retain(|id, _| live.contains(id));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn exactly_what_nothing_reaches_goes(steps in proptest::collection::vec(step(), 1..60)) {
        let fixture = Fixture::new();
        let store = &fixture.store;
        let mut lease: Lease = store.lease();
        let mut model = Model::default();
        for (number, step) in steps.into_iter().enumerate() {
            let ids: Vec<SnapshotId> = model.parents.keys().copied().collect();
            let pick = |index: &prop::sample::Index| (!ids.is_empty()).then(|| *index.get(&ids));
            match step {
                Step::Layer(parent) => {
                    let parent = pick(&parent);
                    let active = store.prepare(parent, &lease).unwrap();
                    write(&active.upper(), "f", number.to_string().as_bytes());
                    let id = active.commit(&store::CommitOptions::default()).unwrap().id();
                    model.parents.insert(id, parent);
                    model.leased.insert(id);
                }
                Step::Image(at, name) => if let Some(id) = pick(&at) {
                    let own = store.lease();
                    let old = model.images.remove(&name);
                    if old.is_some() {
                        store.write(|tx| tx.remove_image(&format!("i:{name}"), true)).unwrap();
                    }
                    let mut image = new_image(Some(id), &[&format!("i:{name}")]);
                    // Different configs: images of one snapshot are still two.
                    image.config.author = Some(name.to_string());
                    store.create_image(&image, &own).unwrap();
                    model.images.insert(name, id);
                },
                Step::Untag(name) => {
                    let removed = store.write(|tx| tx.remove_image(&format!("i:{name}"), true));
                    prop_assert_eq!(removed.is_ok(), model.images.remove(&name).is_some());
                }
                Step::Container(at, name) => if let Some(id) = pick(&at) {
                    let record = ContainerRecord {
                        id: format!("{name:064x}"),
                        name: name.to_string(),
                        snapshot: Some(id),
                        image: None,
                        created: at_zero(),
                        state: String::new(),
                        version: 1,
                        document: String::new(),
                    };
                    store.write(|tx| {
                        tx.delete_container(&record.id)?;
                        tx.create_container(&record)
                    }).unwrap();
                    model.containers.insert(name, id);
                },
                Step::RemoveContainer(name) => {
                    store.write(|tx| tx.delete_container(&format!("{name:064x}"))).unwrap();
                    model.containers.remove(&name);
                }
                Step::Cache(at, name) => if let Some(id) = pick(&at) {
                    store.write(|tx| tx.put_cache_record(&cache_record(&name.to_string(), Some(id), 1, 1))).unwrap();
                    model.cache.insert(name, id);
                },
                Step::RemoveCache(name) => {
                    store.write(|tx| tx.delete_cache_record(&name.to_string())).unwrap();
                    model.cache.remove(&name);
                }
                Step::DropLease => {
                    lease = store.lease();
                    model.leased.clear();
                }
                Step::Collect => {
                    let before: BTreeSet<SnapshotId> = model.parents.keys().copied().collect();
                    model.collect();
                    store.gc(&GcPolicy::default()).unwrap();
                    let probe = store.lease();
                    for id in before {
                        let there = store.committed(id, &probe).is_ok();
                        prop_assert_eq!(there, model.parents.contains_key(&id));
                    }
                    prop_assert_eq!(store.fsck(&FsckOptions { digests: true }).unwrap(), vec![]);
                }
            }
        }
        drop(lease);
        let everything = std::fs::read_dir(store.root().join("layers")).unwrap().count();
        prop_assert!(everything > 0);
    }
}

fn at_zero() -> std::time::SystemTime {
    at(0)
}
