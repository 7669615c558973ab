import { channelContract, plainNumbers } from '../../contract/channel.ts'
import { SlowChannel } from './slow-channel.ts'

channelContract(async () => {
  const channel = new SlowChannel({ sendItems: 4, receiveItems: 3 })
  const settle = async (): Promise<void> => {
    while (channel.move());
  }
  const close = async (): Promise<void> => {}
  return { output: channel, input: channel, settle, numbersOf: plainNumbers, close }
})
