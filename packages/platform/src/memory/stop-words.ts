/** Words that say nothing about what somebody looks for, in the seven languages that questions are taken apart in. Lower case, as they stand in text. */
const ENGLISH = `a about above after again all also am an and any are as at be because been before being below between both but by can could did do does doing down during each few for
from further had has have having he her here hers him his how i if in into is it its just me more most my no nor not now of off on once only or other our out over own please same she should
so some such than that the their them then there these they thing things this those through to too under until up us very was we were what when where which while who whom why will with would
you your yours yesterday today tomorrow recently earlier later ago tell show find get give help know remember something anything stuff`;
const SPANISH = `de la que el en y a los del se las por un para con no una su al lo como más pero sus le ya o este sí porque esta entre cuando muy sin sobre también me hasta hay donde quien
desde todo nos durante todos uno les ni contra otros ese eso ante ellos e esto mí antes algunos qué unos yo otro otras otra él tanto esa estos mucho quienes nada muchos cual poco ella estar
estas algunas algo nosotros es son fue era ser cómo cuál ayer hoy mañana dime`;
const PORTUGUESE = `de a o que e do da em um para com não uma os no se na por mais as dos como mas ao ele das à seu sua ou quando muito nos já eu também só pelo pela até isso ela entre depois sem
mesmo aos seus quem nas me esse eles você essa num nem suas meu às minha numa pelos elas qual nós lhe deles essas esses pelas este dele tu te vocês vos é são foi era ser ontem hoje amanhã onde`;
const ARABIC = `في من على إلى عن مع هذا هذه ذلك تلك التي الذي الذين اللذان ما ماذا متى أين كيف لماذا هل كان كانت يكون هو هي هم هن نحن أنا أنت أنتم لا لم لن ليس قد كل بعض أي أو ثم بل لكن حتى إذا
إن أن كما بين بعد قبل عند منذ خلال حول ضد دون غير أمس اليوم غدا هناك هنا و ف ب ل ك`;
const KOREAN = `은 는 이 가 을 를 의 에 에서 로 으로 와 과 도 만 까지 부터 한테 에게 께 나 나는 나의 내가 우리 저 저희 너 그 그녀 그들 이것 저것 그것 여기 저기 거기 무엇 뭐 누구 언제 어디 어떻게 왜
어떤 있다 없다 하다 되다 이다 것 수 등 및 더 또 또는 그리고 그러나 하지만 그래서 어제 오늘 내일 최근 지금 좀 아주 매우 정말 제발 해줘 알려줘`;
const JAPANESE = `これ それ あれ この その あの ここ そこ あそこ どこ だれ 誰 何 なに なん いつ どう なぜ どの どれ する した して いる ある です ます でした ました ない から まで より など こと もの ため よう
さん 私 僕 俺 あなた 彼 彼女 昨日 今日 明日 最近 今 前 後 の に は を が で と も へ や か`;
const CHINESE = `的 了 在 是 我 有 和 就 不 人 都 一 一个 上 也 很 到 说 要 去 你 会 着 没有 看 好 自己 这 那 这个 那个 这些 那些 什么 怎么 怎样 为什么 哪里 哪个 谁 吗 呢 吧 啊 与 及 或 但 但是 因为 所以
如果 我们 你们 他们 她们 它们 他 她 它 把 被 让 给 对 从 向 于 之 昨天 今天 明天 最近 现在 以前 之前 之后 请 帮 告诉 关于`;

export const STOP_WORDS: ReadonlySet<string> = new Set(
  [ENGLISH, SPANISH, PORTUGUESE, ARABIC, KOREAN, JAPANESE, CHINESE].flatMap((words) => words.split(/\s+/)),
);
