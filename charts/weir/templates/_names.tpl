{{- define "weir.name" -}}
{{- if contains "weir" .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-weir{{ end }}
{{- end }}

{{- define "weir.controller" -}}
{{ include "weir.name" . }}-controller
{{- end }}

{{- define "weir.writer" -}}
{{ include "weir.name" . }}-writer
{{- end }}

{{- define "weir.masterKey" -}}
{{ .Values.masterKey.existingSecret | default (printf "%s-master-key" (include "weir.name" .)) }}
{{- end }}

{{- define "weir.selector" -}}
app.kubernetes.io/name: weir-controller
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "weir.labels" -}}
{{ include "weir.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "weir.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "weir.account" -}}
- kind: ServiceAccount
  name: {{ include "weir.controller" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}
