//! Streams in the host: requests, responses, trailers, and how a stream ends.

use super::world::Stream;
use super::{Headers, Host, LocalReply};

/// Action with which a filter lets a stream continue.
const CONTINUE: u32 = 0;

/// Outcome of a request.
#[derive(Debug)]
pub struct Exchange {
    /// Request header fields as the upstream receives them, if it does.
    pub upstream: Option<Headers>,
    /// Local reply of the filter, if it sent one.
    pub local_reply: Option<LocalReply>,
    /// Properties that the filter set for the access log.
    pub properties: Vec<(String, String)>,
}

impl Host {
    /// Sends the head of a request through the filter, and ends its stream.
    pub fn request(&mut self, headers: Headers) -> Exchange {
        let id = self.open(headers);
        self.end(id)
    }

    /// Sends the head of a request through the filter, and leaves its stream open. Returns the stream.
    pub fn open(&mut self, headers: Headers) -> u32 {
        let id = self.create(headers);
        self.send_head(id);
        id
    }

    /// Creates a stream for a request whose head comes later. Returns the stream.
    pub fn create(&mut self, headers: Headers) -> u32 {
        self.streams += 1;
        let id = self.streams;
        self.store.data_mut().streams.insert(id, Stream { request: headers, ..Stream::default() });
        self.call_about::<(u32, u32), ()>(id, "proxy_on_context_create", (id, self.root));
        id
    }

    /// Sends the head of a stream's request through the filter, without a body.
    pub fn send_head(&mut self, id: u32) {
        self.send(id, true);
    }

    /// Sends the head of a stream's request through the filter, before a body.
    pub fn send_head_before_body(&mut self, id: u32) {
        self.send(id, false);
    }

    fn send(&mut self, id: u32, end_of_stream: bool) {
        let count = u32::try_from(self.stream(id).request.len()).unwrap();
        let action: u32 =
            self.call_about(id, "proxy_on_request_headers", (id, count, u32::from(end_of_stream)));
        self.stream(id).continues = action == CONTINUE;
    }

    /// `true` if the filter holds a stream.
    pub fn is_held(&mut self, id: u32) -> bool {
        let stream = self.stream(id);
        !stream.closed && !stream.continues && stream.local_reply.is_none()
    }

    /// `true` if the filter has closed a stream that the host has not ended.
    #[must_use]
    pub fn is_closed(&self, id: u32) -> bool {
        self.store.data().streams.get(&id).expect("a stream that has not ended").closed
    }

    /// Sends the upstream's response, a head alone, through the filter. Returns what the client receives.
    pub fn respond(&mut self, id: u32, headers: Headers) -> Headers {
        self.respond_with("via_upstream", id, headers, true)
    }

    /// Sends the head of the upstream's response through the filter, before a body that lasts until the stream ends.
    /// Returns what the client receives.
    pub fn respond_before_body(&mut self, id: u32, headers: Headers) -> Headers {
        self.respond_with("via_upstream", id, headers, false)
    }

    /// Sends the head of a response of the host's own through the filter. Returns what the client receives.
    pub fn respond_itself(&mut self, id: u32, headers: Headers) -> Headers {
        self.respond_with("upstream_response_timeout", id, headers, true)
    }

    fn respond_with(&mut self, details: &str, id: u32, headers: Headers, end_of_stream: bool) -> Headers {
        assert!(!self.is_closed(id), "a closed stream has no response");
        let count = u32::try_from(headers.len()).unwrap();
        self.stream(id).response = headers;
        details.clone_into(&mut self.stream(id).response_details);
        let action: u32 =
            self.call_about(id, "proxy_on_response_headers", (id, count, u32::from(end_of_stream)));
        assert_eq!(action, CONTINUE);
        self.stream(id).response.clone()
    }

    /// Ends a stream, as a client does that disconnects. For one that the filter has closed, returns the outcome alone.
    pub fn end(&mut self, id: u32) -> Exchange {
        if !self.is_closed(id) {
            self.complete_reply(id);
            self.call_about::<u32, ()>(id, "proxy_on_delete", id);
        }
        let stream = self.store.data_mut().streams.remove(&id).unwrap();
        let continues = stream.continues && stream.local_reply.is_none();
        Exchange {
            upstream: continues.then_some(stream.request),
            local_reply: stream.local_reply,
            properties: stream.properties,
        }
    }

    /// Sends the head of the local reply through the filter, as Envoy does.
    fn complete_reply(&mut self, id: u32) {
        let Some(mut reply) = self.stream(id).local_reply.take() else { return };
        let status = (b":status".to_vec(), reply.status.to_string().into_bytes());
        let mut headers = reply.headers;
        headers.insert(0, status);
        let mut headers = self.respond_with(&reply.details, id, headers, reply.body.is_empty());
        let at = headers.iter().position(|(name, _)| name == b":status").unwrap();
        let (_, status) = headers.remove(at);
        reply.status = String::from_utf8(status).unwrap().parse().unwrap();
        reply.headers = headers;
        self.stream(id).local_reply = Some(reply);
    }

    /// Sends the trailers of a request through the filter. Returns those that the upstream receives.
    pub fn trailers(&mut self, trailers: Headers) -> Option<Headers> {
        self.streams += 1;
        let id = self.streams;
        self.store.data_mut().streams.insert(id, Stream { trailers, ..Stream::default() });
        self.call_about::<(u32, u32), ()>(id, "proxy_on_context_create", (id, self.root));
        let action: u32 = self.call_about(id, "proxy_on_request_trailers", (id, 1_u32));
        self.call_about::<u32, ()>(id, "proxy_on_delete", id);
        let stream = self.store.data_mut().streams.remove(&id).unwrap();
        (action == CONTINUE).then_some(stream.trailers)
    }

    fn stream(&mut self, id: u32) -> &mut Stream {
        self.store.data_mut().streams.get_mut(&id).expect("a stream that has not ended")
    }
}
