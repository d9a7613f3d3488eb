//! Phases of a key over several rotations, and interrupted rotations.

use std::collections::BTreeSet;

use tempfile::TempDir;
use time::Duration;

use super::*;
use crate::clock::{Clock as _, SystemClock};
use crate::domain::token::rotation::RETIRED_FOR;

const LATER: Duration = Duration::hours(1);

fn now() -> OffsetDateTime {
    SystemClock.now()
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    folder::write(folder.path(), &PrivateKey::generate(KeySize::Rsa2048).unwrap(), false).unwrap();
    folder
}

fn published(dir: &Path) -> BTreeSet<String> {
    let keys = folder::read(dir).unwrap();
    keys.published().keys.iter().filter_map(|key| key.kid.clone()).collect()
}

#[test]
fn key_is_announced_then_signs_then_is_retired_then_gone() {
    let folder = folder();
    let dir = folder.path();
    let rotate = |at| rotate(dir, at, false).unwrap();
    let first = rotate(now());
    assert_eq!((first.plan.retired.clone(), published(dir).len()), (None, 2));
    let second = rotate(now() + LATER);
    assert_eq!(
        (second.plan.retired.as_ref(), &second.plan.signing),
        (Some(&first.plan.signing), &first.announced)
    );
    assert_eq!(published(dir).len(), 3);
    // The retired key goes by the time of its retirement, not by that of the next rotation.
    let third = rotate(now() + LATER);
    assert_eq!((third.plan.gone.len(), published(dir).len()), (0, 4));
    let fourth = rotate(now() + RETIRED_FOR + Duration::MINUTE);
    assert_eq!(BTreeSet::from_iter(fourth.plan.gone), BTreeSet::from([first.plan.signing, first.announced]));
    let kept = [fourth.plan.retired.unwrap(), fourth.plan.signing, fourth.announced];
    assert_eq!(published(dir), BTreeSet::from(kept));
}

#[test]
fn recently_announced_key_does_not_sign_unless_forced() {
    let folder = folder();
    let announced = rotate(folder.path(), now(), false).unwrap().announced;
    let before = published(folder.path());
    let rejected = rotate(folder.path(), now(), false);
    assert!(
        matches!(rejected, Err(RotationError::Rejected(RotationRejection::TooSoon { .. }))),
        "{rejected:?}"
    );
    assert_eq!(published(folder.path()), before);
    assert_eq!(rotate(folder.path(), now(), true).unwrap().plan.signing, announced);
}

#[test]
fn only_one_process_rotates_at_a_time() {
    let folder = folder();
    let _other = lock(folder.path()).unwrap();
    assert!(matches!(rotate(folder.path(), now(), false), Err(RotationError::Busy { .. })));
}

/// Takes the first steps of a rotation as if it was interrupted then, and rotates again.
fn check_interrupted(after: usize) {
    let folder = folder();
    let dir = folder.path();
    rotate(dir, now(), false).unwrap();
    let before = published(dir);
    let signing = folder::read_signing(dir).unwrap();
    let next = file::read(&dir.join(NEXT), PrivateKey::from_pem).unwrap().unwrap();
    let steps: [&dyn Fn(); 4] = [
        &|| retire(dir, &signing).unwrap(),
        &|| file::remove(&dir.join(PUBLIC)).unwrap(),
        &|| file::write_private(&dir.join(PRIVATE), &next).unwrap(),
        &|| file::write_public(&dir.join(PUBLIC), next.public()).unwrap(),
    ];
    for step in &steps[..after] {
        step();
        assert_eq!(published(dir), before, "{after}");
    }
    rotate(dir, now() + LATER, false).unwrap();
    assert_eq!(folder::read_signing(dir).unwrap().public().kid(), next.public().kid(), "{after}");
    assert!(published(dir).is_superset(&before), "{after}");
    assert_eq!(published(dir).len(), 3, "{after}");
    assert!(dir.join(PUBLIC).exists(), "{after}");
}

#[test]
fn interrupted_rotation_is_completed_by_the_next_one() {
    for after in 0..=4 {
        check_interrupted(after);
    }
}
