//! HTTP filters of a listener, as data.

use edgeward_stack::shell::Shell;

/// HTTP filters of a listener, without the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    /// No filter.
    None,
    /// Filter that does nothing.
    Idle(Shell),
    /// Wasm module that only makes Edgeward's host calls.
    Calling,
    /// Edgeward, with this many rules.
    Edgeward { shell: Shell, rules: usize },
    /// Edgeward that follows an edge feed with this many revocations. It is no scenario: its memory is measured.
    Following { shell: Shell, revocations: usize },
    /// Another build of the same shell, with the same configuration.
    OtherBuild(Shell),
    /// Edgeward's plugin in a host that lacks `verify_signature`.
    EdgewardAlone,
    /// Envoy's `jwt_authn`.
    JwtAuthn { cache: bool },
    /// `header_mutation`, `jwt_authn` and `rbac`, which authenticate and authorize.
    Chain { cache: bool },
    /// The same with the session as a third claim, `csrf` before it, and `lua` after it, which removes our cookies.
    EqualChain { cache: bool },
    /// `ext_authz` to a server that accepts every access token.
    ExtAuthz,
}

/// Edgeward in each shell, with the usual rules.
pub(crate) const WASM: Filter = Filter::edgeward(Shell::Wasm);
pub(crate) const NATIVE: Filter = Filter::edgeward(Shell::Native);
/// Usual number of rules. Chosen: as many as a small site has.
pub(crate) const FEW_RULES: usize = 10;
pub(crate) const MANY_RULES: usize = 500;

impl Filter {
    /// Returns Edgeward in a shell, with the usual rules.
    pub(crate) const fn edgeward(shell: Shell) -> Self {
        Self::Edgeward { shell, rules: FEW_RULES }
    }

    /// Returns the name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "no filter",
            Self::Idle(Shell::Wasm) => "a wasm filter that does nothing",
            Self::Idle(Shell::Native) => "a native module that does nothing",
            Self::Calling => "a wasm filter with Edgeward's host calls alone",
            Self::Edgeward { shell: Shell::Wasm, .. } => "Edgeward, wasm",
            Self::Edgeward { shell: Shell::Native, .. } => "Edgeward, native",
            Self::Following { .. } => "Edgeward with a feed",
            Self::OtherBuild(_) => "the other build",
            Self::EdgewardAlone => "Edgeward, wasm without `verify_signature`",
            Self::JwtAuthn { cache: true } => "`jwt_authn`, cache",
            Self::JwtAuthn { cache: false } => "`jwt_authn`, no cache",
            Self::Chain { cache: true } => "chain, cache",
            Self::Chain { cache: false } => "chain, no cache",
            Self::EqualChain { cache: true } => "chain of equal job, cache",
            Self::EqualChain { cache: false } => "chain of equal job, no cache",
            Self::ExtAuthz => "`ext_authz`",
        }
    }

    /// Returns the part of the name for an unusual number of rules.
    pub(crate) fn rules_name(self) -> String {
        match self {
            Self::Edgeward { rules, .. } if rules != FEW_RULES => format!(", {rules} rules"),
            _ => String::new(),
        }
    }

    /// `true` if it forwards the identity to the upstream.
    pub(crate) fn authenticates(self) -> bool {
        !matches!(self, Self::None | Self::Idle(_) | Self::Calling)
    }

    /// `true` if it checks roles.
    pub(crate) fn checks_roles(self) -> bool {
        self.removes_cookies() || matches!(self, Self::Chain { .. })
    }

    /// `true` if it removes our cookies from what the upstream receives, and forwards the session.
    pub(crate) fn removes_cookies(self) -> bool {
        matches!(
            self,
            Self::Edgeward { .. }
                | Self::Following { .. }
                | Self::OtherBuild(_)
                | Self::EdgewardAlone
                | Self::EqualChain { .. }
        )
    }
}
