#!/bin/sh
# The forms of inspect's output.
. "$(dirname "$0")/tap.sh"

make_image dir:image
layer=sha256:$(sha256sum layer.tar | cut -d' ' -f1)
digest=sha256:$(sha256sum image/manifest.json | cut -d' ' -f1)
config=$(sed 's/.*"config":{[^}]*"digest":"sha256:\([0-9a-f]*\)".*/\1/' image/manifest.json)
run inspect dir:image
exits 0 "inspect works"
created=$(sed -n 's/^    "Created": "\(.*\)",$/\1/p' out)
cat >expected <<END
{
    "Digest": "$digest",
    "RepoTags": [],
    "Created": "$created",
    "DockerVersion": "",
    "Labels": null,
    "Architecture": "amd64",
    "Os": "linux",
    "Layers": [
        "$layer"
    ],
    "LayersData": [
        {
            "MIMEType": "application/vnd.oci.image.layer.v1.tar",
            "Digest": "$layer",
            "Size": $(wc -c <layer.tar),
            "Annotations": null
        }
    ],
    "Env": null
}
END
sed -i "s/\"amd64\"/\"$(sed -n 's/.*"Architecture": "\(.*\)",/\1/p' out)\"/" expected
holds "the JSON is skopeo's, byte by byte" cmp expected out
run inspect --raw dir:image; holds "--raw gives the bytes of the manifest" cmp out image/manifest.json
run inspect --config --raw dir:image; holds "--config --raw those of the configuration" cmp out "image/$config"
run inspect --config dir:image
out_has '    "rootfs": {' "--config is indented"
run inspect --size dir:image; out_has '"Size":' "--size adds the size"
run inspect --platforms dir:image; out_has "$digest" "--platforms shows a single image, too"
run inspect --platforms --format json dir:image; out_has '"Platforms": [' "also as JSON"
run inspect --raw --format x dir:image
err_has 'msg="raw output does not support format option"' "--raw and --format exclude each other"
done_testing
