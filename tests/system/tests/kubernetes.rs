//! The Helm chart (`deploy/helm/edgeward`), rendered by the real Helm and validated against the schemas of Kubernetes. The
//! settings that it renders are read by the companion, and by the gateway's entry point with the real Envoy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use edgeward_stack::shell::Shell;
use edgeward_stack::{envoy, paths, variable, wheels};

/// Values without which nothing is rendered.
const REQUIRED: [&str; 4] = [
    "--set=existingSecret=edgeward",
    "--set=config.CLIENT_UI_DOMAIN=https://app.example.com",
    "--set=gateway.upstream=shop:8081",
    "--set-file=gateway.filterConfig=envoy/filter.example.json",
];
const OWN_GATEWAY: [&str; 3] = [
    "--set=existingSecret=edgeward",
    "--set=config.CLIENT_UI_DOMAIN=https://app.example.com",
    "--set=gateway.enabled=false",
];
const OTHER_GATEWAY: &str =
    r#"--set-json=networkPolicy.gateways=[{"namespaceSelector":{"matchLabels":{"team":"edge"}}}]"#;

/// Helm and the validator, which the machine may be unable to have.
struct Tools {
    helm: PathBuf,
    validator: Command,
}

/// Returns the tools, or `None` with a message.
fn tools() -> Option<Tools> {
    let requirements = paths::root().join("tests/system/kubernetes/requirements.txt");
    let helm = wheels::helm(&paths::tools(), &mut |line| eprintln!("{line}"));
    let found = helm.and_then(|helm| {
        let validator = wheels::python_program(&paths::tools(), "kubernetes-validate", &requirements)?;
        Ok(Tools { helm, validator })
    });
    found.inspect_err(|missing| eprintln!("SKIPPED, the Helm chart is not tested: {missing:#}")).ok()
}

impl Tools {
    fn helm(&self, command: &[&str], values: &[&str]) -> Output {
        let mut helm = Command::new(&self.helm);
        helm.current_dir(paths::root()).args(command).arg("deploy/helm/edgeward").args(values);
        helm.output().unwrap()
    }

    /// Renders the chart.
    fn render(&self, values: &[&str]) -> String {
        let rendered = self.helm(&["template", "edgeward", "--namespace=edge"], values);
        assert!(rendered.status.success(), "{values:?}: {}", String::from_utf8_lossy(&rendered.stderr));
        String::from_utf8(rendered.stdout).unwrap()
    }

    /// Returns the message with which Helm rejects values.
    fn rejected(&self, values: &[&str]) -> String {
        let rendered = self.helm(&["template", "edgeward"], values);
        assert!(!rendered.status.success(), "{values:?} are taken");
        String::from_utf8(rendered.stderr).unwrap()
    }
}

fn folder(name: &str) -> PathBuf {
    let directory = paths::test_folder(name);
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// Returns the documents of a kind.
fn documents<'a>(rendered: &'a str, kind: &str) -> Vec<&'a str> {
    let line = format!("\nkind: {kind}\n");
    rendered.split("\n---\n").filter(|document| document.contains(&line)).collect()
}

/// Returns the variables of the containers in a document that are not references.
fn environment(document: &str) -> Vec<(String, String)> {
    let lines = document.lines().filter_map(|line| line.trim().strip_prefix("- {name: "));
    let pairs = lines.filter_map(|line| line.strip_suffix('}')?.split_once(", value: "));
    pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}

#[test]
fn chart_renders_objects_that_kubernetes_takes() {
    let Some(mut tools) = tools() else { return };
    let lint = tools.helm(&["lint", "--strict"], &REQUIRED);
    assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stdout));
    let all = [
        "--set=autoscaling.maxReplicas=9",
        "--set=prometheusOperator.labels.release=monitoring",
        "--set=gateway.service.type=LoadBalancer",
        "--set=gateway.service.annotations.a=b",
        "--set=image.pullSecrets[0].name=registry",
        r#"--set-json=networkPolicy.prometheus=[{"namespaceSelector":{}}]"#,
        r#"--set-json=networkPolicy.upstreams=[{"podSelector":{}},{"namespace":"shop","podSelector":{}}]"#,
        OTHER_GATEWAY,
    ];
    let sets: [(&str, Vec<&str>, usize); 4] = [
        ("default", REQUIRED.to_vec(), 13),
        ("all", [&REQUIRED[..], &all].concat(), 15),
        ("own-gateway", [&OWN_GATEWAY[..], &[OTHER_GATEWAY]].concat(), 9),
        ("no-policies", [&OWN_GATEWAY[..], &["--set=networkPolicy.enabled=false"]].concat(), 7),
    ];
    tools.validator.args(["-k", "1.37", "--strict"]);
    for (name, values, count) in sets {
        let rendered = tools.render(&values);
        assert_eq!(rendered.matches("\nkind: ").count(), count, "{name}");
        let file = folder("valid").join(format!("{name}.yaml"));
        fs::write(&file, rendered).unwrap();
        tools.validator.arg(file);
    }
    let output = tools.validator.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // These two are of the Prometheus operator, of which the validator has no schema.
    let monitored = tools.render(&[&REQUIRED[..], &["--set=prometheusOperator.enabled=true"]].concat());
    let monitors = documents(&monitored, "ServiceMonitor");
    assert!(monitors[0].contains("{targetLabel: job, replacement: edgeward-companion}"), "{monitors:?}");
    let rules = documents(&monitored, "PrometheusRule");
    assert!(rules[0].matches("- alert:").count() > 5, "{rules:?}");
}

#[test]
fn chart_has_the_version_of_the_product() {
    let chart = fs::read_to_string(paths::root().join("deploy/helm/edgeward/Chart.yaml")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    for line in [format!("version: {version}"), format!("appVersion: \"{version}\"")] {
        assert!(chart.lines().any(|found| found == line), "{line}");
    }
}

#[test]
fn values_that_would_do_harm_are_rejected_with_a_reason() {
    let Some(tools) = tools() else { return };
    for (change, reason) in [
        ("--set=config.ISSUR=a", "ISSUR"),
        ("--set=config.REFRESH_JWT_SECRET=a", "/config': additional properties 'REFRESH_JWT_SECRET'"),
        ("--set=config.ACCESS_TTL_SECONDS=900", "got number, want string"),
        ("--set=replica=3", "replica"),
        ("--set=replicas=1", "minimum: got 1, want 2"),
        ("--set=existingSecret=", "existingSecret: name the Secret with DATABASE_URL"),
        ("--set=config.CLIENT_UI_DOMAIN=", "CLIENT_UI_DOMAIN: the origins of your pages"),
        ("--set=gateway.upstream=shop", "gateway/upstream"),
        ("--set=gateway.upstream=", "host and port of the service to protect"),
        ("--set=gateway.enabled=false", "name the pods of your gateway"),
        ("--set=image.companionDigest=latest", "image/companionDigest"),
    ] {
        let message = tools.rejected(&[&REQUIRED[..], &[change]].concat());
        assert!(message.contains(reason), "{change}: {message}");
    }
    assert!(tools.rejected(&REQUIRED[..3]).contains("your copy of envoy/filter.example.json"));
}

#[test]
fn chart_gives_no_container_more_than_it_needs() {
    let Some(tools) = tools() else { return };
    let rendered = tools.render(&REQUIRED);
    let containers = rendered.matches("imagePullPolicy: ").count();
    assert_eq!(containers, 7);
    for (line, count) in [
        ("readOnlyRootFilesystem: true", containers),
        ("allowPrivilegeEscalation: false", containers),
        ("capabilities: {drop: [ALL]}", containers),
        ("runAsNonRoot: true", 4),
        ("seccompProfile: {type: RuntimeDefault}", 4),
        ("enableServiceLinks: false", 4),
        // The service account's too.
        ("automountServiceAccountToken: false", 5),
    ] {
        assert_eq!(rendered.matches(line).count(), count, "{line}");
    }
    assert!(!rendered.contains("kind: Secret\n"), "secrets are the operator's");
    let policies = documents(&rendered, "NetworkPolicy");
    for policy in &policies {
        assert!(
            policy.contains("policyTypes: [Ingress]") && policy.contains("component: gateway"),
            "{policy}"
        );
    }
    assert_eq!(policies.len(), 2);
}

#[test]
fn companion_takes_the_settings_that_the_chart_renders() {
    let Some(tools) = tools() else { return };
    let secrets = folder("secrets");
    for (name, value) in [
        ("DATABASE_URL", "postgres://edgeward@db/edgeward"),
        ("REFRESH_JWT_SECRET", "0123456789abcdef0123456789abcdef"),
        ("FEED_SECRET", "fedcba9876543210fedcba9876543210"),
        ("KEY_ENCRYPTION_KEY", "5a0c1e83bb6f4d2907f1a8c93e64d0275b1947ee80c2fd36a9154be07d92cf38"),
        ("SMTP_PASSWORD", "a password of the mail server"),
    ] {
        fs::write(secrets.join(name), value).unwrap();
    }
    let settings = [
        "--set-string=config.ACCESS_TTL_SECONDS=600",
        "--set=config.PUBLIC_URL=https://app.example.com",
        "--set=config.SMTP_URL=smtps://mail.example.com",
        "--set=config.MAIL_FROM=no-reply@example.com",
        "--set=config.SMTP_USERNAME=edgeward",
    ];
    let rendered = tools.render(&[&REQUIRED[..], &settings].concat());
    assert!(rendered.contains("{key: SMTP_PASSWORD, path: SMTP_PASSWORD}"), "{rendered}");
    assert!(!tools.render(&REQUIRED).contains("SMTP_PASSWORD"), "nobody needs the key without the setting");
    let commands =
        rendered.lines().filter_map(|line| line.trim().strip_prefix("args: [edgeward, ")?.strip_suffix(']'));
    let commands: Vec<&str> = commands.collect();
    assert_eq!(commands.len(), 6);
    for command in commands {
        succeeds(Command::new(paths::edgeward()).args(command.split(", ")).arg("--help"), command);
    }
    let settings = environment(documents(&rendered, "Deployment")[0]);
    let mut command = Command::new(paths::edgeward());
    command.env_clear().current_dir(&secrets).args(["config", "check"]);
    for (name, value) in settings {
        command.env(name, value.replace("/run/secrets/edgeward", &secrets.display().to_string()));
    }
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{told}");
    for line in ["ACCESS_TTL_SECONDS", "600", "https://app.example.com", "DATABASE_URL", "SMTP_PASSWORD"] {
        assert!(told.contains(line), "{line}: {told}");
    }
}

#[test]
fn envoy_takes_the_configuration_of_the_chart_s_gateway() {
    let Some(tools) = tools() else { return };
    let directory = folder("gateway");
    let rendered = tools.render(&REQUIRED);
    let filter = documents(&rendered, "ConfigMap")[0].split_once("filter.json: ").unwrap().1;
    let filter: String = serde_json::from_str(filter.trim()).unwrap();
    assert_eq!(filter, fs::read_to_string(paths::root().join("envoy/filter.example.json")).unwrap());
    let output = validated(&directory, &filter, environment(documents(&rendered, "Deployment")[1]));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    let configuration = fs::read_to_string(directory.join("edgeward-envoy.yaml")).unwrap();
    for part in ["address: edgeward-companion-internal, port_value: 5502", "address: shop, port_value: 8081"]
    {
        assert!(configuration.contains(part), "{part}");
    }
}

#[test]
fn examples_for_other_gateways_have_the_cluster_and_valid_rules() {
    let Some(Tools { validator, .. }) = tools() else { return };
    let packages = validator.get_envs().find(|(name, _)| *name == "PYTHONPATH").unwrap().1.unwrap();
    for name in ["envoy-gateway", "istio"] {
        let directory = folder(name);
        let mut python = Command::new("python3");
        python.env("PYTHONPATH", packages).arg("tests/system/kubernetes/examples.py");
        python.arg(format!("deploy/kubernetes/{name}.yaml")).arg("envoy/envoy.yaml").arg(&directory);
        succeeds(python.current_dir(paths::root()), name);
        let mut envoy = Command::new(envoy::find_or_install(&mut |_| {}).unwrap());
        succeeds(envoy.args(["--mode", "validate", "-c"]).arg(directory.join("bootstrap.json")), name);
        let mut edgeward = Command::new(paths::edgeward());
        succeeds(edgeward.args(["filter", "check"]).arg(directory.join("filter.json")), name);
    }
}

fn succeeds(command: &mut Command, what: &str) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Runs the gateway's entry point with Envoy in its validation mode.
fn validated(directory: &Path, filter: &str, settings: Vec<(String, String)>) -> Output {
    let plugin = paths::filter_wasm().display().to_string();
    let template = Shell::Wasm.configuration().unwrap().replace("/etc/envoy/edgeward.wasm", &plugin);
    fs::write(directory.join("envoy.yaml"), template).unwrap();
    fs::write(directory.join("filter.json"), filter).unwrap();
    fs::write(directory.join("FEED_SECRET"), "fedcba9876543210fedcba9876543210").unwrap();
    let program = envoy::find_or_install(&mut |_| {}).unwrap();
    let mut command = Command::new(paths::root().join("docker/gateway"));
    command.args(["--mode", "validate"]).env("ENVOY_CONFIG", directory.join("envoy.yaml"));
    let path = format!("{}:{}", program.parent().unwrap().display(), variable("PATH").unwrap());
    command.env("TMPDIR", directory).env("PATH", path);
    for (name, value) in settings {
        let here = directory.display().to_string();
        let value = value.replace("/run/secrets/edgeward", &here).replace("/etc/edgeward", &here);
        command.env(name, value);
    }
    command.output().unwrap()
}
