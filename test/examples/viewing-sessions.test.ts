import { expect, test } from '@jest/globals'
import { type Infer, job, oneOf, record, sequence, timestamps, uniformInt, z } from 'weir'
import { datagen } from '../../src/connectors/datagen/datagen-source.ts'
import viewingSessions from '../../src/examples/viewing-sessions.ts'
import { collectSink } from '../../src/testing/collect-sink.ts'
import { runJob } from '../../src/testing/run-job.ts'
import { rowsOf } from './output-folder.ts'

const GAP_MS = 30 * 60_000
const VIEWS = 20_000
const SEED = 3

const View = record({
  viewer: z.int32(),
  content: z.int32(),
  watchedSeconds: z.int32(),
  at: z.timestamp(),
})
type View = Infer<typeof View>

interface Session {
  readonly viewer: number
  readonly start: string
  readonly end: string
  readonly views: number
  readonly watchedSeconds: number
  readonly favouriteGenre: string
}

/** The records that the sample makes up for itself. */
async function collected<T extends object>(source: ReturnType<typeof datagen<T>>) {
  const sink = collectSink<T>()
  await runJob(job('inputs', env => void env.from(source).uid('inputs').to(sink).uid('collected')))
  return sink.results
}

async function genres(): Promise<ReadonlyMap<number, string>> {
  const choices = ['drama', 'comedy', 'documentary', 'thriller', 'animation']
  const fields = { content: sequence(), genre: oneOf(choices) }
  const contents = await collected(datagen({ rows: 1_000, seed: SEED, fields }))
  return new Map(contents.map(({ content, genre }) => [content, genre]))
}

function views(): Promise<readonly View[]> {
  const fields = {
    viewer: uniformInt(1, 5_000),
    content: uniformInt(0, 999),
    watchedSeconds: uniformInt(10, 3_600),
    at: timestamps({ start: '2026-01-01T00:00:00Z', every: 250 }),
  }
  return collected(datagen({ type: View, rows: VIEWS, seed: SEED + 1, fields }))
}

/** Each viewer's views in order, cut where more than the gap lies between two. */
function sessionsByHand(all: readonly View[], genreOf: ReadonlyMap<number, string>): Session[] {
  const sessions: Session[] = []
  const byViewer = Map.groupBy(all, view => view.viewer)
  for (const [viewer, watched] of byViewer) {
    const inOrder = watched.toSorted((a, b) => a.at - b.at)
    let session: View[] = []
    for (const [index, view] of inOrder.entries()) {
      session.push(view)
      const next = inOrder[index + 1]
      if (next !== undefined && next.at <= view.at + GAP_MS) continue
      sessions.push(summedUp(viewer, session, genreOf))
      session = []
    }
  }
  return sessions
}

function summedUp(
  viewer: number,
  session: readonly View[],
  genreOf: ReadonlyMap<number, string>,
): Session {
  const seconds = new Map<string, number>()
  for (const { content, watchedSeconds } of session) {
    const genre = genreOf.get(content) ?? 'unknown'
    seconds.set(genre, (seconds.get(genre) ?? 0) + watchedSeconds)
  }
  const most = Math.max(...seconds.values())
  const favourites = [...seconds].filter(([, sum]) => sum === most).map(([genre]) => genre)
  const last = session.at(-1)?.at ?? 0
  return {
    viewer,
    start: new Date(session[0]?.at ?? 0).toISOString(),
    end: new Date(last + GAP_MS).toISOString(),
    views: session.length,
    watchedSeconds: session.reduce((sum, view) => sum + view.watchedSeconds, 0),
    favouriteGenre: favourites.sort()[0] ?? '',
  }
}

function sorted(rows: readonly Session[]): readonly Session[] {
  return rows.toSorted((a, b) => a.viewer - b.viewer || (a.start < b.start ? -1 : 1))
}

test.each([1, 3])(
  'views become the sessions that a plain loop finds, at parallelism %i',
  async p => {
    const rows = await rowsOf<Session>(viewingSessions, {
      args: { views: String(VIEWS), seed: String(SEED) },
      parallelism: p,
    })
    const expected = sessionsByHand(await views(), await genres())
    // The gap cuts some viewers' views, else the test would show little.
    expect(expected.length).toBeGreaterThan(new Set(rows.map(row => row.viewer)).size)
    expect(sorted(rows)).toEqual(sorted(expected))
  },
)
