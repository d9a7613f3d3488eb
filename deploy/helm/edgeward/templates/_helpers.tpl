{{- /* Labels of every object: (dict "root" $ "part" "companion"). */ -}}
{{- define "edgeward.labels" -}}
{{ include "edgeward.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "edgeward.selector" -}}
app.kubernetes.io/name: edgeward
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- /* Image of a part, by its digest if there is one. */ -}}
{{- define "edgeward.image" -}}
{{- $digest := get .root.Values.image (printf "%sDigest" .part) -}}
{{- get .root.Values.image .part }}{{ if $digest }}@{{ $digest }}{{ else }}:{{ .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* What "restricted" asks of a pod, and what it needs no more than that. */ -}}
{{- define "edgeward.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user }}
  runAsGroup: {{ .user }}
  fsGroup: {{ .user }}
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "edgeward.container" -}}
imagePullPolicy: IfNotPresent
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "edgeward.spread" -}}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "edgeward.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}

{{- define "edgeward.secret" -}}
{{ required "existingSecret: name the Secret with DATABASE_URL, REFRESH_JWT_SECRET, FEED_SECRET and KEY_ENCRYPTION_KEY" .Values.existingSecret }}
{{- end }}

{{- /* Settings that are keys of the Secret. */ -}}
{{- define "edgeward.secrets" -}}
DATABASE_URL REFRESH_JWT_SECRET FEED_SECRET KEY_ENCRYPTION_KEY {{- if .Values.config.SMTP_USERNAME }} SMTP_PASSWORD {{- end }}
{{- end }}

{{- /* Settings of the companion. Secrets are files, which the container's environment does not show. */ -}}
{{- define "edgeward.env" -}}
{{- $config := merge (dict) .Values.config (dict "DRAIN_DELAY_SECONDS" "5" "LOG_FORMAT" "json") -}}
{{- range $name, $value := $config }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
- {name: BIND_ADDRESS, value: "0.0.0.0"}
- {name: PORT, value: "5501"}
- {name: INTERNAL_PORT, value: "5502"}
{{- range splitList " " (include "edgeward.secrets" .) }}
- {name: {{ . }}_FILE, value: /run/secrets/edgeward/{{ . }}}
{{- end }}
{{- end }}

{{- define "edgeward.mounts" -}}
- {name: secrets, mountPath: /run/secrets/edgeward, readOnly: true}
{{- end }}

{{- define "edgeward.volumes" -}}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ include "edgeward.secret" . }}
          items:
            {{- range splitList " " (include "edgeward.secrets" .) }}
            - {key: {{ . }}, path: {{ . }}}
            {{- end }}
      # For `sslrootcert` of DATABASE_URL.
      - secret:
          name: {{ include "edgeward.secret" . }}
          optional: true
          items: [{key: DATABASE_CA, path: DATABASE_CA}]
{{- end }}

{{- /* Peers that are gateways, for a policy in any namespace: a podSelector alone would mean the policy's own. None is a mistake:
NetworkPolicy reads an empty list as everybody. */ -}}
{{- define "edgeward.gateways" -}}
{{- $here := dict "matchLabels" (dict "kubernetes.io/metadata.name" .Release.Namespace) }}
{{- if .Values.gateway.enabled }}
- namespaceSelector: {{- toYaml $here | nindent 4 }}
  podSelector:
    matchLabels: {{- include "edgeward.selector" (dict "root" . "part" "gateway") | nindent 6 }}
{{- else if not .Values.networkPolicy.gateways }}
{{- fail "networkPolicy.gateways: name the pods of your gateway, or set gateway.enabled=true, or networkPolicy.enabled=false" }}
{{- end }}
{{- range .Values.networkPolicy.gateways }}
{{- $peer := deepCopy . }}
{{- if and (hasKey $peer "podSelector") (not (hasKey $peer "namespaceSelector")) }}
{{- $peer = set $peer "namespaceSelector" $here }}
{{- end }}
- {{ toYaml $peer | nindent 2 | trim }}
{{- end }}
{{- end }}
