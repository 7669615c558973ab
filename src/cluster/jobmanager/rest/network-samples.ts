/** What passes between the taskmanagers of a job, as samples. */
import type { MetricName } from '../../../observability/metric-definitions.ts'
import type { MetricSample } from '../../../observability/metrics-text.ts'
import type { ObservedJob, TaskManagerView } from './observed-job.ts'

type Figures = NonNullable<TaskManagerView['network']>
type Edge = Figures['edges'][number]

/** None where all slots are in one process: nothing passes between any. */
export function networkSamples({ job }: ObservedJob): MetricSample[] {
  return (job.taskManagers?.() ?? []).flatMap(({ slot, network }) => {
    if (network === null) return []
    const process = `taskmanager-${slot}`
    const edges = network.edges.flatMap(edge => edgeSamples(process, edge))
    return [...trafficSamples(process, network), ...edges]
  })
}

function trafficSamples(process: string, figures: Figures): MetricSample[] {
  const sample = (name: MetricName, value: number): MetricSample => {
    return { name, labels: { process }, value }
  }
  return [
    sample('weir_network_sent_bytes_total', figures.bytesSent),
    sample('weir_network_received_bytes_total', figures.bytesReceived),
    sample('weir_network_sent_frames_total', figures.framesSent),
    sample('weir_network_received_frames_total', figures.framesReceived),
  ]
}

function edgeSamples(process: string, { edge, input, output }: Edge): MetricSample[] {
  const sample = (name: MetricName, value: number): MetricSample => {
    return { name, labels: { process, edge }, value }
  }
  const samples: MetricSample[] = []
  if (input !== null) {
    samples.push(
      sample('weir_network_input_queue_frames', input.queuedFrames),
      sample('weir_network_input_credits', input.credits),
      sample('weir_network_input_usage_ratio', input.usage),
      sample('weir_network_input_frame_bytes', input.frameBytes),
    )
  }
  if (output !== null) {
    samples.push(
      sample('weir_network_output_queue_frames', output.queuedFrames),
      sample('weir_network_output_queue_bytes', output.queuedBytes),
      sample('weir_network_output_credits', output.credits),
      sample('weir_network_output_usage_ratio', output.usage),
      sample('weir_network_backpressured_channels', output.fullChannels),
    )
  }
  return samples
}
