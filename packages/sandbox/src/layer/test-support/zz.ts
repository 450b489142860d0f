import { LayerFixture } from './layer-fixture.ts';
import { applyRun } from '../apply.ts'; import { undoRun } from '../undo.ts'; import { reviewRun } from '../review.ts'; import { summarizeDiff } from '../diff-summary.ts'; import { patchBytes } from '../diff.ts';
const time = async (name: string, f: () => Promise<unknown>) => { const t=performance.now(); const r = await f(); console.log(name, Math.round(performance.now()-t)); return r as any; };
await using f = await LayerFixture.create();
const kind = process.argv[2];
if (kind==='deep') { await time('build', () => f.build([['deep','directory-d',1000,'old']])); }
const edits: any[] = kind==='deep' ? [['deep','directory-d',1000,'new'],['deep','other',1000,'x']] : [];
if (kind!=='deep') { const n = Number(process.argv[3]); for (let i=0;i<n/10;i++) { edits.push(['mkdir',`d${i}`]); for (let j=0;j<10;j++) edits.push(['write',`d${i}/f${j}`,`content ${i} ${j}\n`.repeat(50)]); } if (kind==='mod') { await f.build(edits); for (const e of edits) if (e[0]==='write') e[2]+='more\n'; } if (kind==='del') { await f.build(edits); const dirs = edits.filter((e)=>e[0]==='mkdir'); edits.length=0; edits.push(...dirs.map((e)=>['remove',e[1]])); } }
const held = await f.openRun();
await time('overlay', () => f.edit(held.record.id, edits));
await time('close+seal', () => f.store.closeRun(held, {probe: f.probe}));
const id = held.record.id;
const review = await time('review', () => reviewRun(f.store, id, {probe: f.probe}));
await time('summary', () => summarizeDiff(review));
await time('patch', async () => { let n=0; for await (const b of patchBytes(review)) n+=b.length; return n; });
await time('apply', () => applyRun(f.store, id, {probe: f.probe}));
await time('apply2', () => applyRun(f.store, id, {probe: f.probe}));
await time('undo', () => undoRun(f.store, id));
await time('remove', () => f.store.removeRun(id));
