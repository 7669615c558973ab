/** Counts words: the smallest job with state. */
import { fileSink, fileSource, job, json, record, reducingState, text, z } from 'weir'

const WordCount = record({ word: z.string(), count: z.int32() })

const state = { count: reducingState((a: number, b: number) => a + b, z.int32()) }

export default job('word-count', env => {
  env
    .from(fileSource({ path: env.args.get('input', 'README.md'), format: text() }))
    .uid('lines')
    .flatMap(line => line.toLowerCase().match(/\p{L}+/gu) ?? [])
    .returns(z.string())
    .keyBy(word => word)
    .process({
      output: WordCount,
      state,
      processElement(word, context, out) {
        context.state.count.add(1)
        out.collect({ word, count: context.state.count.get() ?? 0 })
      },
    })
    .uid('count')
    .to(
      fileSink({
        path: env.args.get('output', 'out/word-count'),
        format: json(WordCount),
        onExisting: 'replace',
      }),
    )
    .uid('counts')
})
