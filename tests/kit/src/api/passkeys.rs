//! Passkeys, each with an authenticator of its own (WebAuthn Level 3).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Api;
use crate::client::{Client, Response};

/// Settings of a site with passkeys.
pub const PASSKEYS: [(&str, &str); 2] = [
    ("PASSKEY_RP_ID", "example.com"),
    ("PASSKEY_ORIGINS", "https://app.example.com,https://app.example.org"),
];
/// Origin at which passkeys are used.
pub const PASSKEY_ORIGIN: &str = "https://app.example.com";

/// User is present, and verified (§6.1).
pub const VERIFIED: u8 = 0b0000_0101;
/// The attested credential data follow (§6.1).
const ATTESTED: u8 = 0b0100_0000;

/// Passkey, with the private key.
pub struct Passkey {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    /// Handle of the user, in base64url.
    pub user_handle: String,
    /// Signature counter of the last use.
    pub counter: u32,
    /// Flags of each use.
    pub flags: u8,
    /// Origin of each use.
    pub origin: &'static str,
    /// `true` if the page of each use is in a frame of another site.
    pub is_cross_origin: bool,
}

impl Passkey {
    /// Creates a passkey as a browser does, without an attestation. Returns it with its credential.
    #[must_use]
    pub fn create(options: &Value, flags: u8) -> (Self, Value) {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        let id = digest(&SHA256, key.public_key().as_ref()).as_ref().to_vec();
        let user_handle = text(&options["user"]["id"]);
        let passkey = Self {
            key,
            id,
            user_handle,
            counter: 1,
            flags: VERIFIED,
            origin: PASSKEY_ORIGIN,
            is_cross_origin: false,
        };
        let public = passkey.key.public_key().as_ref();
        let (x, y) = (&public[1..33], &public[33..]);
        // COSE_Key of ES256 (RFC 9053 §7.1.1), in CBOR.
        let cose: [&[u8]; 4] = [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32], x, &[0x22, 0x58, 32], y];
        let length = u16::try_from(passkey.id.len()).expect("a short ID").to_be_bytes();
        let attested = [&[0; 16][..], &length, &passkey.id, &cose.concat()].concat();
        let data = passkey.authenticator_data(&options["rp"]["id"], flags | ATTESTED, &attested);
        // Map of "fmt": "none", "attStmt": {}, "authData": data, in CBOR (§6.5.4).
        let length = u8::try_from(data.len()).expect("short data");
        let object = [&b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"[..], &[length], &data].concat();
        let client = passkey.client_data("webauthn.create", options);
        let response = json!({"attestationObject": encode(object), "clientDataJSON": encode(client)});
        let credential = passkey.credential(&response);
        (passkey, credential)
    }

    /// Uses the passkey as a browser does. Returns the credential.
    #[must_use]
    pub fn respond(&mut self, options: &Value) -> Value {
        self.counter += 1;
        let data = self.authenticator_data(&options["rpId"], self.flags, &[]);
        let client = self.client_data("webauthn.get", options);
        let signed = [&data, digest(&SHA256, client.as_bytes()).as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).expect("a signature");
        self.credential(&json!({
            "authenticatorData": encode(data),
            "clientDataJSON": encode(client),
            "signature": encode(signature),
            "userHandle": self.user_handle,
        }))
    }

    /// Returns the ID, in base64url.
    #[must_use]
    pub fn id(&self) -> String {
        encode(&self.id)
    }

    fn credential(&self, response: &Value) -> Value {
        json!({"id": self.id(), "rawId": self.id(), "type": "public-key", "response": response, "clientExtensionResults": {}})
    }

    fn authenticator_data(&self, rp_id: &Value, flags: u8, attested: &[u8]) -> Vec<u8> {
        let rp_id = digest(&SHA256, text(rp_id).as_bytes());
        [rp_id.as_ref(), &[flags], &self.counter.to_be_bytes(), attested].concat()
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        json!({"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": self.is_cross_origin})
            .to_string()
    }
}

impl Api {
    /// Makes the passkeys those of another domain, as a change of `PASSKEY_RP_ID` does.
    pub async fn move_passkeys(&self, rp_id: &str) {
        let moved = sqlx::query("update factors set rp_id = $1 where kind = 'passkey'").bind(rp_id);
        moved.execute(&self.pool).await.expect("an update");
    }

    /// Returns the client of a new user with a passkey, the passkey, and the recovery codes.
    pub async fn registered_with_passkey(&self, email: &str) -> (Client, Passkey, Vec<String>) {
        let mut client = self.registered(email).await;
        let (passkey, added) = client.add_passkey(false).await;
        assert_eq!(added.status, 201, "{added}");
        let codes = added.body["recoveryCodes"].as_array().into_iter().flatten().map(text).collect();
        (client, passkey, codes)
    }
}

impl Client {
    /// Adds a passkey to the account of the user, or has the browser add it by itself.
    pub async fn add_passkey(&mut self, automatic: bool) -> (Passkey, Response) {
        let (passkey, body) = self.created_passkey(automatic).await;
        (passkey, self.post_json("/api/auth/factors/passkeys/confirm", &body).await)
    }

    /// Creates a passkey, and returns the body by which it is added.
    pub async fn created_passkey(&mut self, automatic: bool) -> (Passkey, Value) {
        let begun = self.post_json("/api/auth/factors/passkeys", &json!({"automatic": automatic})).await;
        assert_eq!(begun.status, 200, "{begun}");
        let flags = if automatic { 0 } else { VERIFIED };
        let (passkey, credential) = Passkey::create(&begun.body["options"], flags);
        let token = &begun.body["token"];
        let body = json!({"token": token, "credential": credential, "name": "Phone", "automatic": automatic});
        (passkey, body)
    }

    /// Asks for a passkey by a route, and returns the body that is the response of this one.
    pub async fn passkey_response(&mut self, path: &str, body: &Value, passkey: &mut Passkey) -> Value {
        let asked = self.post_json(&format!("{path}/passkey/options"), body).await;
        assert_eq!(asked.status, 200, "{asked}");
        json!({"token": asked.body["token"], "credential": passkey.respond(&asked.body["options"])})
    }

    /// Logs in with a passkey.
    pub async fn login_with_passkey(&mut self, passkey: &mut Passkey) -> Response {
        let body = self.passkey_response("/api/auth/login", &json!({}), passkey).await;
        self.post_json("/api/auth/login/passkey", &body).await
    }

    /// Completes a pending login by a passkey.
    pub async fn complete_login_with_passkey(&mut self, token: &Value, passkey: &mut Passkey) -> Response {
        let pending = json!({"token": token});
        let response = self.passkey_response("/api/auth/login/factor", &pending, passkey).await;
        self.post_json("/api/auth/login/factor", &json!({"token": token, "passkey": response})).await
    }

    /// Proves who the user is by a passkey.
    pub async fn confirm_with_passkey(&mut self, passkey: &mut Passkey) -> Response {
        let body = self.passkey_response("/api/auth/confirm", &json!({}), passkey).await;
        self.post_json("/api/auth/confirm/passkey", &body).await
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
