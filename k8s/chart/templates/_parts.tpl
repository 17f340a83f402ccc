{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}
{{- define "cmk.labels" }}
    app.kubernetes.io/name: cmk
    app.kubernetes.io/instance: {{ printf "%q" .Release.Name }}
    app.kubernetes.io/managed-by: {{ printf "%q" .Release.Service }}
    helm.sh/chart: {{ printf "%q" (printf "%s-%s" .Chart.Name .Chart.Version) }}
{{- end }}

{{- /* Of a container, 8 columns in. */ -}}
{{- define "cmk.image" }}
        image: {{ printf "%q" (printf "%s:%s" .Values.image.repository .Values.image.tag) }}
        imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end }}

{{- define "cmk.confined" }}
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities:
            drop: [ALL]
{{- end }}

{{- define "cmk.resources" }}
        resources:
          {{- range $kind, $amounts := . }}
          {{ $kind }}:
            {{- range $name, $amount := $amounts }}
            {{ $name }}: {{ printf "%q" $amount }}
            {{- end }}
          {{- end }}
{{- end }}

{{- /* Of a pod, 6 columns in. */ -}}
{{- define "cmk.pull" }}
      {{- if .Values.image.pullSecret }}
      imagePullSecrets:
      - name: {{ .Values.image.pullSecret }}
      {{- end }}
{{- end }}

{{- define "cmk.nobody" }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 65534
        runAsGroup: 65534
        seccompProfile:
          type: RuntimeDefault
      tolerations:
      - key: cmk
        operator: Exists
        effect: NoSchedule
{{- end }}
