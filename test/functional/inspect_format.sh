#!/bin/sh
# Templates of inspect --format.
. "$(dirname "$0")/tap.sh"

make_image dir:image
layer=sha256:$(sha256sum layer.tar | cut -d' ' -f1)
show() { run inspect --format "$1" dir:image; }

show '{{.Os}}'; out_is linux "a field"
show '{{.Os}}\t{{.Os}}'; out_is "$(printf 'linux\tlinux')" "escapes are undone"
show 'table {{.Os}}\t{{.Os}}'; out_is 'linux       linux' "table aligns"
show '{{range .Layers}}{{.}}{{end}}'; out_is "$layer" "range"
show '{{range $i, $l := .Layers}}{{$i}}={{$l}}{{end}}'; out_is "0=$layer" "range with two variables"
show '{{if .Labels}}a{{else if .Os}}b{{end}}'; out_is b "if and else if"
show '{{(index .LayersData 0).MIMEType}}'; out_is application/vnd.oci.image.layer.v1.tar "index"
show '{{.Labels}} {{.Env}} [{{.Name}}]'; out_is 'map[] [] []' "empty values as Go prints them"
show '{{.Os | upper | printf "%8s|"}}'; out_is '   LINUX|' "pipelines"
show '{{join .Layers ","}} {{json .Layers}}'; out_is "$layer [\"$layer\"]" "join and json"
show '{{printf "%T %d" .Digest (len .Layers)}}'; out_is 'digest.Digest 1' "printf"
show json; out_has '    "RepoTags": [],' "json alone is the usual output"
show '{{json .}}'; out_has '{"Digest":"sha256:' "{{json .}} is compact"
show '{{.Foo}}'; exits 1 "a field that is not there is a mistake"
err_has "at <.Foo>: can't evaluate field Foo in type interface {}" "and named as Go does"
show '{{foo .Os}}'; err_has 'template: skopeo inspect:1: function \"foo\" not defined' "so is a function"
show '{{.Os'; exits 1 "so is a template that does not end"
run inspect --config --format '{{.OS}} {{.Config.Env}} {{(index .RootFS.DiffIDs 0)}}' dir:image
out_is "linux [] $layer" "--config has the fields of the OCI image"
done_testing
