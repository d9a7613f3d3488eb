//! The last authentication of a session, which a fresh proof alone changes.

use super::*;

#[test]
fn proof_replaces_the_authentication_and_a_refresh_keeps_it() {
    let session = refreshed(&[60]);
    let proved = session.clone().authenticate(Proof::Password, &LIFETIMES, NOW);
    assert_eq!(proved.authentication, Authentication::new(NOW, Proof::Password));
    let renewed = session.clone().apply(Step::Renew, 4, &LIFETIMES, NOW);
    assert_eq!(Session { authentication: session.authentication.clone(), ..proved }, renewed);
    for step in [Step::Rotate, Step::Renew, Step::Repeat] {
        let refreshed = session.clone().apply(step, 5, &LIFETIMES, NOW);
        assert_eq!(refreshed.authentication, session.authentication, "{step:?}");
    }
}
