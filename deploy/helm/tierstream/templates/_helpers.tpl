{{- define "tierstream.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end -}}
{{- end }}

{{- define "tierstream.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "tierstream.labels" -}}
{{ include "tierstream.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "tierstream.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "tierstream.policyName" -}}
{{- if .Values.policy.text }}{{ include "tierstream.name" . }}-policy{{ else }}{{ required "policy.configMap: missing; allowed: the name of a ConfigMap, or policy.text" .Values.policy.configMap }}{{ end -}}
{{- end }}

{{- define "tierstream.group" -}}
{{ .Values.namespace | default "tierstream" }}
{{- end }}

{{- define "tierstream.topic" -}}
{{- if .root.Values.namespace }}{{ .root.Values.namespace }}.{{ end }}{{ .topic -}}
{{- end }}

{{- define "tierstream.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "tierstream.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "tierstream.kafkaEnv" -}}
- {name: TIERSTREAM_KAFKA, value: {{ .Values.kafka.bootstrap | quote }}}
- {name: TIERSTREAM_NAMESPACE, value: {{ .Values.namespace | quote }}}
- {name: TIERSTREAM_KAFKA_PROTOCOL, value: {{ .Values.kafka.protocol | quote }}}
{{- if hasPrefix "SASL" .Values.kafka.protocol }}
{{- $secret := required "kafka.credentialsSecret: missing; SASL asks for it" .Values.kafka.credentialsSecret }}
- {name: TIERSTREAM_KAFKA_MECHANISM, value: {{ .Values.kafka.mechanism | quote }}}
- name: TIERSTREAM_KAFKA_USERNAME
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: username}}
- name: TIERSTREAM_KAFKA_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: password}}
{{- end }}
{{- if .Values.kafka.caSecret }}
- {name: TIERSTREAM_KAFKA_CA_FILE, value: /etc/tierstream/kafka/ca.crt}
{{- end }}
{{- if .Values.kafka.clientSecret }}
- {name: TIERSTREAM_KAFKA_CERT_FILE, value: /etc/tierstream/kafka-client/tls.crt}
- {name: TIERSTREAM_KAFKA_KEY_FILE, value: /etc/tierstream/kafka-client/tls.key}
{{- end }}
{{- end }}

{{- define "tierstream.kafkaMounts" -}}
{{- if .Values.kafka.caSecret }}
- {name: kafka-ca, mountPath: /etc/tierstream/kafka, readOnly: true}
{{- end }}
{{- if .Values.kafka.clientSecret }}
- {name: kafka-client, mountPath: /etc/tierstream/kafka-client, readOnly: true}
{{- end }}
{{- end }}

{{- define "tierstream.kafkaVolumes" -}}
{{- with .Values.kafka.caSecret }}
- {name: kafka-ca, secret: {secretName: {{ . }}}}
{{- end }}
{{- with .Values.kafka.clientSecret }}
- {name: kafka-client, secret: {secretName: {{ . }}}}
{{- end }}
{{- end }}

{{- define "tierstream.env" -}}
{{ include "tierstream.kafkaEnv" . }}
- name: TIERSTREAM_REDIS
  valueFrom:
    secretKeyRef: {name: {{ .Values.redis.secret }}, key: {{ .Values.redis.key }}}
- {name: TIERSTREAM_POLICY, value: /etc/tierstream/policy/policy.yaml}
{{- range $name, $value := .Values.settings }}
- {name: TIERSTREAM_{{ upper $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{- define "tierstream.mounts" -}}
- {name: policy, mountPath: /etc/tierstream/policy, readOnly: true}
{{- with include "tierstream.kafkaMounts" . }}
{{- . }}
{{- end }}
{{- if .Values.redis.caSecret }}
- {name: redis-ca, mountPath: /etc/tierstream/redis, readOnly: true}
{{- end }}
{{- end }}

{{- define "tierstream.volumes" -}}
- {name: policy, configMap: {name: {{ include "tierstream.policyName" . }}}}
{{- with include "tierstream.kafkaVolumes" . }}
{{- . }}
{{- end }}
{{- with .Values.redis.caSecret }}
- {name: redis-ca, secret: {secretName: {{ . }}}}
{{- end }}
{{- end }}
