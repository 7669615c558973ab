{{- /* What the controller watches. */}}
{{- define "weir.rules.read" -}}
- apiGroups: [weir.dev]
  resources: [streamjobs, savepoints]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [pods, configmaps, services]
  verbs: [list, watch]
- apiGroups: [apps]
  resources: [controllerrevisions]
  verbs: [list, watch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [list, watch]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [list, watch]
{{- end }}

{{- /* What it writes of Weir's own kinds. */}}
{{- define "weir.rules.own" -}}
- apiGroups: [weir.dev]
  resources: [streamjobs/status, savepoints/status]
  verbs: [patch]
# Owner references that hold up the deletion of the owner.
- apiGroups: [weir.dev]
  resources: [streamjobs/finalizers, savepoints/finalizers]
  verbs: [update]
# Finalizers: what is deleted waits until its state is dealt with.
- apiGroups: [weir.dev]
  resources: [streamjobs]
  verbs: [patch]
# Those that a job asks for by itself, and those that are no longer kept.
- apiGroups: [weir.dev]
  resources: [savepoints]
  verbs: [create, patch, delete]
{{- end }}

{{- /* What a job consists of: written in the namespaces that have one. */}}
{{- define "weir.rules.write" -}}
- apiGroups: [""]
  resources: [pods]
  verbs: [create, delete]
- apiGroups: [""]
  resources: [configmaps, services]
  verbs: [create, patch]
# Revisions of a job: made once, and removed when there are many.
- apiGroups: [apps]
  resources: [controllerrevisions]
  verbs: [create, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [delete]
# The key of a job's processes: written, never read.
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [create, patch]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [create, patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{- /* What a tenant has in its namespaces, and their labels. */}}
{{- define "weir.rules.tenant" -}}
- apiGroups: [""]
  resources: [namespaces]
  verbs: [patch]
- apiGroups: [""]
  resources: [resourcequotas, limitranges]
  verbs: [create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [delete]
{{- end }}
