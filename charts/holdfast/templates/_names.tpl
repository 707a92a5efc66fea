{{/* Name of everything that the release has one of; sidecars and webhooks find the Service by it. */}}
{{- define "holdfast.name" -}}
holdfast-controller
{{- end }}

{{/* ClusterRole, webhooks and their like are not in a namespace. */}}
{{- define "holdfast.clusterName" -}}
{{- if eq .Release.Namespace "holdfast-system" }}holdfast-controller{{ else }}holdfast-controller.{{ .Release.Namespace }}{{ end }}
{{- end }}

{{- define "holdfast.selectorLabels" -}}
app.kubernetes.io/name: holdfast
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: controller
{{- end }}

{{- define "holdfast.labels" -}}
{{ include "holdfast.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: holdfast
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "holdfast.controllerImage" -}}
{{ .Values.controller.image.repository }}:{{ .Values.controller.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "holdfast.sidecarImage" -}}
{{ .Values.sidecar.image.repository }}:{{ .Values.sidecar.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* What the restricted Pod Security Standard asks of a pod, and of a container. OpenShift refuses users that it did not choose. */}}
{{- define "holdfast.podSecurity" -}}
runAsNonRoot: true
{{- if ne .Values.sidecar.user "namespace" }}
runAsUser: 65532
runAsGroup: 65532
{{- end }}
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "holdfast.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}
