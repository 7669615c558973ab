/**
 * Viewing sessions: views enriched with the content they show, then summed up by viewer over
 * sessions that end after thirty quiet minutes.
 *
 * The catalogue is broadcast: every subtask keeps all of it. Nothing orders the two streams, so a
 * view may come before its content. The operator's watermark is the smaller of both inputs', and
 * the catalogue has none until it was read to its end: no timer fires before the catalogue is
 * complete.
 */
import {
  type AggregateFunction,
  datagen,
  fileSink,
  type Infer,
  job,
  json,
  type KeyedBroadcastProcessFunction,
  listState,
  mapState,
  oneOf,
  record,
  sequence,
  session,
  timestamps,
  uniformInt,
  watermarks,
  z,
} from 'weir'

const View = record({
  viewer: z.int32(),
  content: z.int32(),
  watchedSeconds: z.int32(),
  at: z.timestamp(),
})
type View = Infer<typeof View>

const Content = record({ content: z.int32(), genre: z.string() })
type Content = Infer<typeof Content>

const EnrichedView = record({
  viewer: z.int32(),
  genre: z.string(),
  watchedSeconds: z.int32(),
})
type EnrichedView = Infer<typeof EnrichedView>

const Summary = record({
  views: z.int32(),
  watchedSeconds: z.int32(),
  genres: z.record(z.string(), z.int32()),
})
type Summary = Infer<typeof Summary>

const ViewingSession = record({
  viewer: z.int32(),
  start: z.timestamp({ json: 'iso' }),
  end: z.timestamp({ json: 'iso' }),
  views: z.int32(),
  watchedSeconds: z.int32(),
  favouriteGenre: z.string(),
})

const broadcast = { catalogue: mapState(z.int32(), Content) }
const state = { waiting: listState(View) }

/** A view whose content is not known yet waits; its timer fires once the catalogue is complete. */
const enrich: KeyedBroadcastProcessFunction<
  number,
  View,
  Content,
  EnrichedView,
  typeof broadcast,
  typeof state
> = {
  output: EnrichedView,
  broadcast,
  state,
  processElement(view, context, out) {
    const content = context.broadcast.catalogue.get(view.content)
    if (content !== undefined) return out.collect(enriched(view, content))
    context.state.waiting.add(view)
    context.timers.registerEventTimeTimer(view.at)
  },
  processBroadcastElement(content, context) {
    context.broadcast.catalogue.put(content.content, content)
  },
  onTimer(timestamp, context, out) {
    const { waiting } = context.state
    const content = context.broadcast.catalogue.get(context.key)
    for (const view of waiting.get()) {
      if (view.at === timestamp) out.collect(enriched(view, content))
    }
    waiting.update(waiting.get().filter(view => view.at !== timestamp))
  },
}

function enriched(view: View, content: Content | undefined): EnrichedView {
  const genre = content?.genre ?? 'unknown'
  return { viewer: view.viewer, genre, watchedSeconds: view.watchedSeconds }
}

const summary: AggregateFunction<EnrichedView, Summary, Summary> = {
  accumulator: Summary,
  output: Summary,
  create: () => ({ views: 0, watchedSeconds: 0, genres: {} }),
  add(view, sum) {
    sum.views += 1
    sum.watchedSeconds += view.watchedSeconds
    sum.genres[view.genre] = (sum.genres[view.genre] ?? 0) + view.watchedSeconds
    return sum
  },
  result: sum => sum,
  merge(a, b) {
    a.views += b.views
    a.watchedSeconds += b.watchedSeconds
    for (const [genre, seconds] of Object.entries(b.genres)) {
      a.genres[genre] = (a.genres[genre] ?? 0) + seconds
    }
    return a
  },
}

/** The genre watched longest; of equals the first by name. */
function favouriteGenre(genres: Summary['genres']): string {
  const ranked = Object.entries(genres).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  return ranked[0]?.[0] ?? 'unknown'
}

const GENRES = ['drama', 'comedy', 'documentary', 'thriller', 'animation']
const CONTENTS = 1000

export default job('viewing-sessions', env => {
  const seed = env.args.int('seed', 1)
  const catalogue = env
    .from(
      datagen({
        type: Content,
        rows: CONTENTS,
        seed,
        fields: { content: sequence(), genre: oneOf(GENRES) },
      }),
    )
    .uid('catalogue')
  env
    .from(
      datagen({
        type: View,
        rows: env.args.int('views', 100_000),
        seed: seed + 1,
        fields: {
          viewer: uniformInt(1, 5000),
          content: uniformInt(0, CONTENTS - 1),
          watchedSeconds: uniformInt(10, 3600),
          at: timestamps({ start: '2026-01-01T00:00:00Z', every: 250 }),
        },
      }),
      watermarks.boundedOutOfOrderness('10s').timestamp(view => view.at),
    )
    .uid('views')
    .keyBy(view => view.content)
    .connect(catalogue.broadcast())
    .process(enrich)
    .uid('enrich')
    .keyBy(view => view.viewer)
    .window(session('30m'))
    .aggregate(summary, {
      output: ViewingSession,
      process(viewer, [sum], { window: { start, end } }, out) {
        if (sum === undefined) return
        const { views, watchedSeconds } = sum
        const favourite = favouriteGenre(sum.genres)
        out.collect({ viewer, start, end, views, watchedSeconds, favouriteGenre: favourite })
      },
    })
    .uid('sessions')
    .to(
      fileSink({
        path: env.args.get('output', 'out/viewing-sessions'),
        format: json(ViewingSession),
        onExisting: 'replace',
      }),
    )
    .uid('viewing-sessions')
})
