/**
 * One colour for each SFV, the same in outlines, map and table. The most important eight are far apart for colour-blind readers
 * too [Okabe08]; each further one is, of a grid of colours, the farthest from all before it. With many SFVs colours come
 * close: numbers and highlighting tell them apart.
 */
const FIRST = ['#e69f00', '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#f0e442', '#8a6d00'];
/** The grid in OKLCH: 8 x 31 candidates, enough for 255 SFVs. */
const LIGHTNESS = [0.45, 0.58, 0.7, 0.84];
const CHROMA = [0.07, 0.14];
const HUES = 31;

/** OKLab: lightness and two opponent colours; distances are about as seen (B. Ottosson, "A perceptual color space", 2020). */
type Lab = readonly [number, number, number];

let colours: readonly string[] | undefined;

/** Colour "#rrggbb" of the SFV at a place in the order of importance, 0..254; 0 is the most important. */
export function sfvColour(place: number): string {
  colours ??= spreadColours();
  return colours[place % colours.length];
}

function spreadColours(): string[] {
  const candidates: Lab[] = [];
  for (const l of LIGHTNESS) {
    for (const c of CHROMA) {
      for (let h = 0; h < HUES; h++) {
        const angle = (2 * Math.PI * h) / HUES;
        candidates.push([l, c * Math.cos(angle), c * Math.sin(angle)]);
      }
    }
  }
  const out = [...FIRST];
  const away = candidates.map((lab) => FIRST.reduce((least, hex) => Math.min(least, distance(lab, labOf(hex))), 9));
  for (let n = 0; n < candidates.length; n++) {
    const best = away.indexOf(Math.max(...away));
    out.push(hexOf(candidates[best]));
    candidates.forEach((lab, i) => {
      away[i] = Math.min(away[i], distance(lab, candidates[best]));
    });
    away[best] = -1;
  }
  return out;
}

function distance(a: Lab, b: Lab): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

function labOf(hex: string): Lab {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const v = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

/** sRGB of a colour, clipped. */
function hexOf([lightness, a, b]: Lab): string {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  const channels = linear.map((v) => {
    const c = Math.max(0, Math.min(1, v));
    return Math.round(255 * (c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055));
  });
  return `#${channels.map((v) => v.toString(16).padStart(2, '0')).join('')}`;
}
