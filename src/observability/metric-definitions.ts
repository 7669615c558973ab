/**
 * Every metric that a process of Weir shows, in one table: `docs/metrics.md` is held against it.
 * Names end in their unit; counters in `_total`.
 */

export interface MetricDefinition {
  readonly type: 'counter' | 'gauge'
  readonly help: string
  /** `job` is the job's id. */
  readonly labels: readonly string[]
}

const job = ['job'] as const
const vertex = ['job', 'vertex', 'name'] as const
const process = ['process'] as const
/** From one operator to another, over all channels of the process. */
const edge = ['process', 'edge'] as const

export const metricDefinitions = {
  weir_job_status: {
    type: 'gauge',
    help: '1 for the status that the job is in',
    labels: ['job', 'status'],
  },
  weir_job_uptime_seconds: {
    type: 'gauge',
    help: 'Time since the job was started',
    labels: job,
  },
  weir_job_records_read_total: {
    type: 'counter',
    help: 'Records that the sources have read',
    labels: job,
  },
  weir_job_records_written_total: {
    type: 'counter',
    help: 'Records that the sinks have written',
    labels: job,
  },
  weir_job_records_rejected_total: {
    type: 'counter',
    help: 'Records skipped or sent to a dead letter sink by an error policy',
    labels: job,
  },
  weir_job_restarts_total: {
    type: 'counter',
    help: 'Restarts after a failure, of the whole job or of failover regions',
    labels: job,
  },
  weir_checkpoints_completed_total: {
    type: 'counter',
    help: 'Checkpoints that completed',
    labels: job,
  },
  weir_checkpoints_failed_total: {
    type: 'counter',
    help: 'Checkpoints that failed',
    labels: job,
  },
  weir_checkpoint_last_duration_seconds: {
    type: 'gauge',
    help: 'From trigger to completion of the last completed checkpoint',
    labels: job,
  },
  weir_checkpoint_last_size_bytes: {
    type: 'gauge',
    help: 'Files of the last completed checkpoint',
    labels: job,
  },
  weir_checkpoint_last_in_flight_bytes: {
    type: 'gauge',
    help: 'Data in flight in the last completed checkpoint: what its barriers overtook',
    labels: job,
  },
  weir_checkpoint_last_age_seconds: {
    type: 'gauge',
    help: 'Time since the last completed checkpoint: what a failure now would repeat',
    labels: job,
  },
  weir_storage_requests_total: {
    type: 'counter',
    help: 'Requests to the checkpoint storage, with those sent again; absent for a folder',
    labels: job,
  },
  weir_storage_retries_total: {
    type: 'counter',
    help: 'Requests to the checkpoint storage that were sent again',
    labels: job,
  },
  weir_storage_written_bytes_total: {
    type: 'counter',
    help: 'Bytes written to the checkpoint storage',
    labels: job,
  },
  weir_storage_read_bytes_total: {
    type: 'counter',
    help: 'Bytes read from the checkpoint storage',
    labels: job,
  },
  weir_vertex_records_in_total: {
    type: 'counter',
    help: 'Records that a vertex took, over all subtasks',
    labels: vertex,
  },
  weir_vertex_records_out_total: {
    type: 'counter',
    help: 'Records that a vertex gave, over all subtasks',
    labels: vertex,
  },
  weir_vertex_busy_ms_per_second: {
    type: 'gauge',
    help: 'ms of each second at work, averaged over the subtasks; the three sum to 1000',
    labels: vertex,
  },
  weir_vertex_idle_ms_per_second: {
    type: 'gauge',
    help: 'ms of each second without input',
    labels: vertex,
  },
  weir_vertex_backpressured_ms_per_second: {
    type: 'gauge',
    help: 'ms of each second waiting for room behind',
    labels: vertex,
  },
  weir_vertex_watermark_seconds: {
    type: 'gauge',
    help: 'Lowest watermark of the subtasks, since the epoch; absent before the first',
    labels: vertex,
  },
  weir_source_lag_records: {
    type: 'gauge',
    help: 'Records that a source has not read yet; absent where it cannot tell (only Kafka can)',
    labels: vertex,
  },
  weir_source_lag_seconds: {
    type: 'gauge',
    help: 'How old the oldest record that a source has not read may be; 0 where it has read all',
    labels: vertex,
  },
  weir_user_count_total: {
    type: 'counter',
    help: 'What user functions counted',
    labels: ['job', 'operator', 'metric'],
  },
  weir_process_resident_memory_bytes: {
    type: 'gauge',
    help: 'Resident memory of a process: jobmanager, or taskmanager-SLOT',
    labels: process,
  },
  weir_process_cpu_seconds_total: {
    type: 'counter',
    help: 'CPU time of the process, user and system',
    labels: process,
  },
  weir_process_blocked_seconds: {
    type: 'gauge',
    help: 'So long user code has kept the thread of a taskmanager; 0 unless it is over a second',
    labels: process,
  },
  weir_network_sent_bytes_total: {
    type: 'counter',
    help: 'Bytes that a taskmanager sent to others, flow control included',
    labels: process,
  },
  weir_network_received_bytes_total: {
    type: 'counter',
    help: 'Bytes that it received from others',
    labels: process,
  },
  weir_network_sent_frames_total: {
    type: 'counter',
    help: 'Frames of records, and events, that it sent',
    labels: process,
  },
  weir_network_received_frames_total: {
    type: 'counter',
    help: 'Frames of records, and events, that it received',
    labels: process,
  },
  weir_network_input_queue_frames: {
    type: 'gauge',
    help: 'Frames that came in on an edge and wait for the task',
    labels: edge,
  },
  weir_network_input_credits: {
    type: 'gauge',
    help: 'Frames that the senders on an edge may still send; 0 holds them up',
    labels: edge,
  },
  weir_network_input_usage_ratio: {
    type: 'gauge',
    help: 'Share of the buffers of an edge that hold frames, 0 to 1; 1 holds the senders up',
    labels: edge,
  },
  weir_network_input_frame_bytes: {
    type: 'gauge',
    help: 'Size of frames that senders are asked for: lower than 32768 by buffer debloating',
    labels: edge,
  },
  weir_network_output_queue_frames: {
    type: 'gauge',
    help: 'Frames on an edge that wait for credit of the receivers',
    labels: edge,
  },
  weir_network_output_queue_bytes: {
    type: 'gauge',
    help: 'What these frames hold',
    labels: edge,
  },
  weir_network_output_credits: {
    type: 'gauge',
    help: 'Frames that the receivers on an edge have room for',
    labels: edge,
  },
  weir_network_output_usage_ratio: {
    type: 'gauge',
    help: 'Bytes that wait, of those that may before the task has to wait too',
    labels: edge,
  },
  weir_network_backpressured_channels: {
    type: 'gauge',
    help: 'Channels of an edge that hold up their task',
    labels: edge,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>

export type MetricName = keyof typeof metricDefinitions
